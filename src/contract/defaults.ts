/** Tuned numbers, each with its reason. Times carry their unit in the name. */

/** Silence after which a lease or batch is taken for dead: above a short server restart (about 1 s), below patience. */
export const HEARTBEAT_MS = 15_000;

/** Heartbeats are sent this many times within the timeout, so that one lost beat kills nothing. */
export const BEATS_PER_TIMEOUT = 5;

/** A batch on a slow CPU takes hours, a lease lasts as long as its stage. */
export const LONG_ACTIVITY = '30 days';

/** Batches in flight on a lane: one computes while the next is already there, which hides the server's latency. */
export const BATCHES_PER_LANE = 2;

/** Batches of one `embedStage` run: at 6 events a batch its history stays under the server's advice of 4,096. */
export const SLICE_BATCHES = 500;

/** Lanes of one `embedStage` run: their signals share its history with the batches. */
export const SLICE_LANES = 16;

/** Middle of Temporal's five priorities, which is also the server's default. */
export const PRIORITY = 3;

/** How long a released lane's process keeps its model loaded, waiting for the next lease. */
export const KEEP_WARM_SECONDS = 120;

/** A model that has not loaded after this long never will: 11 GB from a slow network disk take minutes. */
export const START_LIMIT_MS = 30 * 60_000;

/** Times that the end of a stage run tries its failed batches again before it gives up. */
export const FAILED_BATCH_RETRIES = 2;

/** Lane processes that may die in a row without finishing a batch before the agent gives the lane up. */
export const LANE_RESTARTS = 5;

/** First and longest wait before a dead lane process is started again. */
export const LANE_RESTART_BACKOFF_MS = { first: 500, longest: 30_000 } as const;

/** Leases that may fail in a row, with no batch finished between, before a stage run gives up. */
export const LEASE_FAILURES = 6;

/** Between two offers that no host could serve, the server waits this long. */
export const OFFER_RETRY_MS = 1_000;

/** Times that a wave makes corrupt artifacts again before it fails. */
export const REMAKE_ATTEMPTS = 3;

/** A campaign hears from its slices at most this many times in a stage, to keep histories short. */
export const SLICE_REPORTS = 20;

/** Times that a lane's record holds when it served; gaps between more are closed, the shortest first. For a picture. */
export const LANE_SPANS = 16;

/** How often SDK workers pass heartbeats on to the server, so that a cancel or terminate is seen within seconds. */
export const HEARTBEAT_THROTTLE_MS = 2_000;

/** A model call that takes longer in a segment of the model than max(this, STALLED_MEDIANS x the median) has hung. */
export const STALLED_CALL_MS = 60_000;

/** See STALLED_CALL_MS. */
export const STALLED_MEDIANS = 20;

/**
 * How often an agent looks for runs on which all agents fail, and after how many failures of one workflow task in a row:
 * the server gives each to any agent, 10 s apart, so one of another build has had its chances.
 */
export const STUCK_RUN = { lookMs: 15_000, failures: 3 } as const;

/** Vectors of an unfinished batch are saved this often: what a killed lane costs at most, against a small file each. */
export const PART_MS = 30_000;

/** Crashes charged to a batch before it is bisected, and to one sequence alone before it is quarantined. */
export const CHARGES = { bisect: 2, quarantine: 3 } as const;

/** Different lanes (or tries on the only lane) that a batch may fail on before it waits for the stage's end. */
export const BATCH_TRIES = 2;

/** Samples of one wave: at about 14 events a sample its run's history stays under the server's advice of 4,096. */
export const WAVE_SAMPLES = 200;

/**
 * Embeddings that a wave may leave on disk until it is classified: more than one common sample has (about 1.1 billion
 * bases with the real models), so that models are loaded rarely, and little beside a workstation's disk.
 */
export const WAVE_BYTES = 50e9;

/** Bases that give one frame, from below: 400 to 1,100 were found in golden data and phages. For estimates. */
export const BASES_PER_FRAME = 300;

/** Bases in a byte of FASTA that is packed by gzip or zstd. For estimates. */
export const PACKED_RATIO = 4;

/** Failed samples that a campaign's end names one by one; campaign.tsv names all. */
export const FAILURES_SHOWN = 20;

/** File batches that can be asked for; the largest is 1 GB of ESM-2 3B embeddings, and frames under Arrow's 2 GB. */
export const BATCH_SEQUENCES = { min: 1, max: 100_000 } as const;

/** Tokens of a model call that can be asked for; more would keep a cancel waiting on any device. */
export const TOKENS_PER_CALL = { min: 1, max: 1_000_000 } as const;

/** A lane's main thread collects garbage this often: some 30 ms each time, while session threads go on. */
export const COLLECT_GARBAGE_MS = 5_000;

/** A model's lock is touched this often: well within LOCK_STALE_MS, little work for a file server. */
export const LOCK_BEAT_MS = 15_000;

/** A lock untouched for so long is taken over: NFS clients may see file times up to a minute late. */
export const LOCK_STALE_MS = 3 * 60_000;

/** Tries in a row without a new byte before a download is given up, and the waits between: half a minute of outage. */
export const PULL_PATIENCE = { tries: 6, firstMs: 1_000, longestMs: 30_000 } as const;

/**
 * How far a verified model's vectors may be off, relative to their norm: above what fp32 on another runtime and CPU
 * gives (some 1e-5), below what another model or a wrongly read one gives (0.1 and more).
 */
export const VERIFY_TOLERANCE = 1e-3;

/** Least cosine of each vector at a lower precision with the fp32 one and the reference, for a verification to pass. */
export const LEAST_COSINE = { fp16: 0.999, int8: 0.99 } as const;

/**
 * How far a device's vectors may be from the CPU's in fp32, relative to their norm, by the precision that the device
 * computes in: above what another order of sums gives (some 1e-6) or products in fp16 do (some 1e-3), below what a wrong
 * kernel gives (0.3 was seen).
 */
export const DEVICE_TOLERANCE = { fp32: 1e-3, fp16: 1e-2 } as const;

/** Scores that differ by no more are the same to `compare`: what the predecessor's comparison script takes by default. */
export const SCORE_TOLERANCE = 1e-5;

/** Copies of an object store's files that a host keeps at most, beside those in use: a wave's, as WAVE_BYTES. */
export const SCRATCH_BYTES = 50e9;

/**
 * How a store across a network is borne with, before the caller hears of it and waits longer: tries of a request, and of a
 * download without a new byte; how long a connection may take and stay silent (putting a large file's parts together does).
 */
export const S3_PATIENCE = { tries: 4, firstMs: 200, longestMs: 5_000, connectMs: 5_000, silentMs: 30_000 } as const;

/** Parts of a large object that are sent at once, and their least size: 32 MiB of memory; S3 takes 10,000 parts at most. */
export const S3_PARTS = { atOnce: 4, bytes: 8 << 20, most: 9_000 } as const;

/** Small requests (a removal, a look) that are sent at once: hides the latency, and no store minds. */
export const S3_REQUESTS_AT_ONCE = 16;
