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
    readonly uncertain: {
        readonly title: string;
        readonly advice: string;
    };
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
export declare function softmax(logits: ArrayLike<number>): number[];
/** -p ln p - (1 - p) ln(1 - p), in nats. */
export declare function entropy(p: number): number;
/** What the policy says to a probability of melanoma by one of its files. The words of doubt take the tier's place. */
export declare function decide(probability: number, model: ModelEntry, policy: Policy): Decision;
