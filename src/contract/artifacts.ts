/**
 * A claim on a finished file: everything about data that travels through Temporal.
 * Payloads stay far under the server's 2 MB limit; whoever reads checks `sha256`.
 */
export interface ArtifactRef {
  /** Where it is, e.g. `file:///data/out/embeddings/esm-2/batch-00001.arrow`. */
  uri: string;
  /** Hex SHA-256 of the file's bytes. */
  sha256: string;
  /** File size in bytes. */
  bytes: number;
  /** Rows (or lines) in the file. */
  records: number;
}
