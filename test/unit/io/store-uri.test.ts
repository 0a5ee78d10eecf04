import assert from 'node:assert/strict';
import { OptionError } from '../../../src/contract/failures.js';
import { LocalStore } from '../../../src/io/local-store.js';
import { openStore } from '../../../src/io/open-store.js';
import { S3Store } from '../../../src/io/s3-store.js';
import { parseS3Uri } from '../../../src/io/store-uri.js';

describe('io/store-uri', () => {
  it('reads a bucket and a key, as they stand', () => {
    assert.deepEqual(parseS3Uri('s3://runs'), { bucket: 'runs', key: '' });
    assert.deepEqual(parseS3Uri('s3://runs/'), { bucket: 'runs', key: '' });
    assert.deepEqual(parseS3Uri('s3://my.runs-1/a b/%2e%2e/ü.fa'), { bucket: 'my.runs-1', key: 'a b/%2e%2e/ü.fa' });
  });

  it('opens a store by its scheme, and says which there are', () => {
    assert.ok(openStore('/some/folder') instanceof LocalStore);
    assert.ok(openStore('a/c:/folder') instanceof LocalStore);
    assert.ok(openStore('s3://runs/x') instanceof S3Store);
    for (const uri of ['gs://runs/x', 'https://runs/x', 'S3://runs/x', 'file:///runs']) {
      assert.throws(
        () => openStore(uri),
        (error) => {
          assert.ok(error instanceof OptionError);
          assert.match(
            error.what,
            /^(gs|https|S3|file):\/\/ is no store that we know, allowed are a folder or s3:\/\//,
          );
          return true;
        },
      );
    }
  });

  it('refuses what could lead elsewhere, and repeats no password', () => {
    for (const uri of [
      's3://',
      's3:///x',
      's3://runs/../x',
      's3://runs/a//b',
      's3://runs/./b',
      's3://runs/a\0b',
      's3://-r',
    ]) {
      assert.throws(() => parseS3Uri(uri), OptionError, uri);
    }
    for (const uri of ['s3://key:secret-word@runs/x', 'https://key:secret-word@host/x']) {
      assert.throws(
        () => parseS3Uri(uri),
        (error) => error instanceof OptionError && !/secret-word/.test(`${error.message} ${error.stack}`),
      );
    }
  });
});
