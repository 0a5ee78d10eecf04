import assert from 'node:assert/strict';
import { mkdtemp, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { stateFolderPath, cacheFolderPath } from '../../../src/io/user-folders.js';
import { networkFileSystem } from '../../../src/server/network-file-systems.js';
import { openStateFolder } from '../../../src/server/state-folder.js';

describe('server/state-folder', () => {
  let dir: string;
  beforeEach(async () => (dir = await mkdtemp(path.join(tmpdir(), 'vnp-state-'))));
  afterEach(() => rm(dir, { recursive: true }));

  it('is where VIRNUCPRO_STATE_DIR, else XDG, says', () => {
    assert.equal(stateFolderPath({ VIRNUCPRO_STATE_DIR: '/a/b', XDG_STATE_HOME: '/x' }), '/a/b');
    assert.equal(stateFolderPath({ XDG_STATE_HOME: '/x' }), '/x/virnucpro');
    assert.match(stateFolderPath({ XDG_STATE_HOME: '' }), /\/\.local\/state\/virnucpro$/);
    assert.equal(cacheFolderPath({ XDG_CACHE_HOME: '/c' }), '/c/virnucpro');
  });

  it('is made for its owner only, and is the same by every path to it', async () => {
    const made = await openStateFolder(path.join(dir, 'new', 'state'));
    assert.equal((await stat(made.dir)).mode & 0o777, 0o700);
    await symlink(made.dir, path.join(dir, 'alias'));
    assert.deepEqual(await openStateFolder(path.join(dir, 'alias')), made);
  });

  it('refuses a network file system by name, and says what to do', async () => {
    await assert.rejects(
      openStateFolder(dir, () => Promise.resolve('Lustre')),
      {
        name: 'OptionError',
        message: /network file system, Lustre.*Set VIRNUCPRO_STATE_DIR to a folder on a disk of this host/,
      },
    );
  });

  it('refuses a path that is a file', async () => {
    await writeFile(path.join(dir, 'file'), '');
    await assert.rejects(openStateFolder(path.join(dir, 'file')), { name: 'OptionError', message: /EEXIST/ });
  });
});

describe('server/network-file-systems', () => {
  const mounts = [
    '22 1 0:20 / / rw - ext4 /dev/sda1 rw',
    '30 22 0:40 / /mnt/far\\040away rw - fuse.sshfs host:/data rw',
    '31 22 0:41 / /mnt/near rw - fuse.mergerfs a:b rw',
  ].join('\n');
  const ask = (type: number, folder = '/data'): Promise<string | undefined> =>
    networkFileSystem(folder, { type: () => Promise.resolve(type), mounts: () => Promise.resolve(mounts) });

  before(function () {
    if (process.platform !== 'linux') this.skip();
  });

  it('knows network file systems by number', async () => {
    assert.equal(await ask(0x6969), 'NFS');
    assert.equal(await ask(0x0bd00bd0), 'Lustre');
    assert.equal(await ask(0xff534d42), 'CIFS');
    assert.equal(await ask(0xff534d42 | 0), 'CIFS', 'sign-extended');
    assert.equal(await ask(0x47504653), 'GPFS (Spectrum Scale)');
    assert.equal(await ask(0x19830326), 'BeeGFS');
  });

  it('takes local disks: ext4, XFS, Btrfs, ZFS, tmpfs, overlay', async () => {
    for (const type of [0xef53, 0x58465342, 0x9123683e, 0x2fc12fc1, 0x01021994, 0x794c7630]) {
      assert.equal(await ask(type), undefined);
    }
  });

  it('asks the mount table about FUSE', async () => {
    assert.equal(await ask(0x65735546, '/mnt/far away/state'), 'fuse.sshfs');
    assert.equal(await ask(0x65735546, '/mnt/near/state'), undefined);
  });
});
