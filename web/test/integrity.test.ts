import { describe, expect, it } from 'vitest';
import { load, sha256 } from '../src/integrity.js';

const bytes = new TextEncoder().encode('abc').buffer as ArrayBuffer;
const SHA256 = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'; // FIPS 180-2, appendix B.1

describe('load', () => {
  it('gives what was built', async () => {
    expect(await sha256(bytes)).toBe(SHA256);
    expect(await load(async () => bytes, 'a', { sha256: SHA256, bytes: 3 })).toEqual(new Uint8Array(bytes));
  });

  it('refuses anything else, naming the file', async () => {
    const other = new TextEncoder().encode('abd').buffer as ArrayBuffer;
    await expect(load(async () => other, 'models/a', { sha256: SHA256, bytes: 3 })).rejects.toMatchObject({
      code: 'integrity',
      message: expect.stringContaining('models/a'),
    });
  });

  it('says where it looked', async () => {
    const missing = load('http://127.0.0.1:9/assets', 'policy.json', { sha256: SHA256, bytes: 3 });
    await expect(missing).rejects.toMatchObject({ code: 'fetch', message: expect.stringContaining('/assets/policy.json') });
  });
});
