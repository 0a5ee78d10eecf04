import { readFile, statfs } from 'node:fs/promises';
import path from 'node:path';

/**
 * File systems that several hosts can mount at once, by the `f_type` of statfs(2) on Linux.
 * Source: linux/magic.h and the file system table of GNU coreutils' stat.
 */
const SHARED_BY_TYPE = new Map<number, string>([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB2'],
  [0x0bd00bd0, 'Lustre'],
  [0x47504653, 'GPFS (Spectrum Scale)'],
  [0x19830326, 'BeeGFS'],
  [0x00c36400, 'Ceph'],
  [0x5346414f, 'AFS'],
  [0x6b414653, 'AFS'],
  [0x73757245, 'Coda'],
  [0xaad7aaea, 'PanFS'],
  [0x20030528, 'OrangeFS'],
  [0x01021997, '9p'],
  [0x01161970, 'GFS2'],
  [0x7461636f, 'OCFS2'],
  [0x786f4256, 'VirtualBox shared folder'],
  [0xbacbacbc, 'VMware shared folder'],
]);

const FUSE = 0x65735546;

/** FUSE file systems that keep their data on a disk of this host. Any other (sshfs, s3fs, virtiofs ...) may be shared. */
const LOCAL_FUSE = new Set(['fuseblk', 'fuse.fuse-overlayfs', 'fuse.gocryptfs', 'fuse.encfs', 'fuse.mergerfs']);

/** What is asked of the host about a folder, so that tests can answer for file systems they do not have. */
export interface FileSystemProbe {
  /** `f_type` of statfs(2). */
  type(folder: string): Promise<number>;
  /** Text of `/proc/self/mountinfo`. */
  mounts(): Promise<string>;
}

const hostProbe: FileSystemProbe = {
  type: async (folder) => (await statfs(folder)).type,
  mounts: () => readFile('/proc/self/mountinfo', 'utf8'),
};

/**
 * The name of the network file system that holds `folder`, or undefined when it is on a disk of this host.
 * Only Linux tells file systems apart by number; elsewhere the answer is undefined.
 */
export async function networkFileSystem(folder: string, probe = hostProbe): Promise<string | undefined> {
  if (process.platform !== 'linux') return undefined;
  // statfs's 32-bit magic may come sign-extended.
  const type = (await probe.type(folder)) >>> 0;
  if (type !== FUSE) return SHARED_BY_TYPE.get(type);
  const mountType = mountTypeOf(folder, await probe.mounts());
  return LOCAL_FUSE.has(mountType) ? undefined : mountType;
}

/** File system type of the innermost mount above `folder`, as in proc_pid_mountinfo(5). */
function mountTypeOf(folder: string, mountinfo: string): string {
  let innermost = '';
  let type = 'FUSE';
  for (const line of mountinfo.split('\n')) {
    const [before, after] = line.split(' - ');
    const mountPoint = before?.split(' ')[4]?.replace(/\\040/g, ' ');
    if (mountPoint === undefined || after === undefined) continue;
    const inside = !path.relative(mountPoint, folder).startsWith('..');
    if (inside && mountPoint.length >= innermost.length) {
      innermost = mountPoint;
      type = after.split(' ')[0] ?? type;
    }
  }
  return type;
}
