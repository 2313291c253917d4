import { describe, expect, it } from 'vitest';
import { resizeSquare } from '../src/resize.js';

const flat = (side: number, level: number) => new Uint8Array(side * side * 3).fill(level);

describe('resizeSquare', () => {
  it.each([[450, 224], [160, 160], [9, 160], [8, 7]])('keeps a flat image flat, %i to %i', (side, size) => {
    for (const level of [0, 1, 127, 254, 255]) {
      const found = resizeSquare(flat(side, level), side, size);
      expect([found.length, found.every((value) => value === level)]).toEqual([size * size * 3, true]);
    }
  });

  it('copies when nothing changes', () => {
    const image = Uint8Array.from({ length: 48 }, (_, i) => i);
    const same = resizeSquare(image, 4, 4);
    expect(same).toEqual(image);
    expect(same).not.toBe(image);
  });

  it('averages what it shrinks', () => {
    const image = new Uint8Array(4 * 4 * 3);
    image.fill(200, 0, 24); // the upper half
    const small = resizeSquare(image, 4, 2);
    expect(small[0]).toBeGreaterThan(150);
    expect(small[6]).toBeLessThan(50);
  });
});
