import { describe, expect, it } from 'vitest';
import type { ModelEntry } from '../src/manifest-types.js';
import { decide, entropy, softmax, type Policy } from '../src/policy.js';

const model = { id: 'litert-int8', file: 'models/mole_int8.tflite' } as ModelEntry;
const tier = (name: string) => ({ name, title: `${name} title`, advice: `${name} advice` });
const policy: Policy = {
  schema_version: 1,
  notice: '',
  tiers: [tier('low'), tier('moderate'), tier('high')],
  uncertain: { title: 'in doubt', advice: 'ask a doctor' },
  artifacts: [{ name: 'mole_int8.tflite', threshold: 0.3, rejection_threshold: 0.65, bounds: [0, 0.3, 0.8] }],
};

describe('decide', () => {
  it.each([
    [0.0, 'other', 'low'],
    [0.2999999, 'other', 'low'],
    [0.3, 'melanoma', 'moderate'],
    [0.8, 'melanoma', 'high'],
    [1.0, 'melanoma', 'high'],
  ])('%f is %s, %s', (p, decision, name) => {
    const found = decide(p, model, policy);
    expect([found.decision, found.tier.name, found.uncertain]).toEqual([decision, name, false]);
  });

  it('says doubt in the words of doubt, and still which tier it is', () => {
    const found = decide(0.5, model, policy);
    expect(found.uncertain).toBe(true);
    expect(found.tier).toEqual({ name: 'moderate', title: 'in doubt', advice: 'ask a doctor' });
  });

  it('is sure of nothing when the probability is no number', () => {
    expect(decide(NaN, model, policy)).toMatchObject({ decision: 'other', uncertain: true });
  });

  it('refuses a policy of another build', () => {
    expect(() => decide(0.5, { ...model, file: 'models/other.tflite' }, policy)).toThrow(/says nothing of other.tflite/);
  });
});

describe('softmax and entropy', () => {
  it('stay finite for logits of any size', () => {
    expect(softmax([1000, 1000])).toEqual([0.5, 0.5]);
    expect(softmax([-1000, 1000])).toEqual([0, 1]);
  });

  it('are in nats', () => {
    expect(entropy(0.5)).toBe(Math.LN2);
    expect(entropy(0)).toBe(0);
    expect(entropy(1)).toBe(0);
  });
});
