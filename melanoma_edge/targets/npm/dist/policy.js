/** policy.json: when to decide, when to say "uncertain", and in which words. The counterpart of `report/policy.py`. */
import { ClassifierError } from './errors.js';
/** Softmax in float64. */
export function softmax(logits) {
    const all = Array.from(logits);
    const highest = Math.max(...all);
    const powers = all.map((logit) => Math.exp(logit - highest));
    const total = powers.reduce((sum, power) => sum + power, 0);
    return powers.map((power) => power / total);
}
/** -p ln p - (1 - p) ln(1 - p), in nats. */
export function entropy(p) {
    const part = (q) => (q === 0 ? 0 : -q * Math.log(q));
    return Math.min(part(p) + part(1 - p), Math.LN2);
}
/** What the policy says to a probability of melanoma by one of its files. The words of doubt take the tier's place. */
export function decide(probability, model, policy) {
    const own = entryOf(policy, model);
    const spread = entropy(probability);
    const uncertain = !(spread <= own.rejection_threshold); // NaN is not sure of anything
    const tier = policy.tiers[Math.max(own.bounds.findLastIndex((bound) => probability >= bound), 0)];
    return {
        decision: probability >= own.threshold ? 'melanoma' : 'other',
        tier: uncertain ? { ...tier, ...policy.uncertain } : tier,
        uncertain,
        entropy: spread,
    };
}
function entryOf(policy, model) {
    const name = model.file.split('/').at(-1);
    const found = policy.artifacts.find((entry) => entry.name === name);
    if (!found)
        throw new ClassifierError('usage', `policy.json says nothing of ${name}: take the assets of one build`);
    return found;
}
