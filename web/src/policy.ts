/** policy.json: when to decide, when to say "uncertain", and in which words. The counterpart of `report/policy.py`. */
import { ClassifierError } from './errors.js';
import type { ModelEntry } from './manifest-types.js';
import type { CapturePolicy } from './quality.js';

/** A step of advice. */
export interface Tier {
  readonly name: string;
  readonly title: string;
  readonly advice: string;
}

/** What holds for one model file. */
export interface PolicyEntry {
  readonly name: string;
  /** Melanoma from this probability up. */
  readonly threshold: number;
  /** Uncertain above this entropy, in nats. */
  readonly rejection_threshold: number;
  /** The least probability of each tier. */
  readonly bounds: readonly number[];
}

export interface Policy {
  readonly schema_version: 1;
  readonly notice: string;
  /** Lowest first. */
  readonly tiers: readonly Tier[];
  readonly uncertain: { readonly title: string; readonly advice: string };
  readonly artifacts: readonly PolicyEntry[];
  readonly capture?: CapturePolicy;
}

export interface Decision {
  readonly decision: 'melanoma' | 'other';
  readonly tier: Tier;
  readonly uncertain: boolean;
  /** Nats. */
  readonly entropy: number;
}

/** Softmax in float64. */
export function softmax(logits: ArrayLike<number>): number[] {
  const all = Array.from(logits);
  const highest = Math.max(...all);
  const powers = all.map((logit) => Math.exp(logit - highest));
  const total = powers.reduce((sum, power) => sum + power, 0);
  return powers.map((power) => power / total);
}

/** -p ln p - (1 - p) ln(1 - p), in nats. */
export function entropy(p: number): number {
  const part = (q: number) => (q === 0 ? 0 : -q * Math.log(q));
  return Math.min(part(p) + part(1 - p), Math.LN2);
}

/** What the policy says to a probability of melanoma by one of its files. The words of doubt take the tier's place. */
export function decide(probability: number, model: ModelEntry, policy: Policy): Decision {
  const own = entryOf(policy, model);
  const spread = entropy(probability);
  const uncertain = !(spread <= own.rejection_threshold); // NaN is not sure of anything
  const tier = policy.tiers[Math.max(own.bounds.findLastIndex((bound) => probability >= bound), 0)]!;
  return {
    decision: probability >= own.threshold ? 'melanoma' : 'other',
    tier: uncertain ? { ...tier, ...policy.uncertain } : tier,
    uncertain,
    entropy: spread,
  };
}

function entryOf(policy: Policy, model: ModelEntry): PolicyEntry {
  const name = model.file.split('/').at(-1);
  const found = policy.artifacts.find((entry) => entry.name === name);
  if (!found) throw new ClassifierError('usage', `policy.json says nothing of ${name}: take the assets of one build`);
  return found;
}
