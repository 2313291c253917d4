package melanoma.edge;

import java.util.ArrayList;
import java.util.List;

/** policy.json: when to decide, when to say "uncertain", and in which words. The counterpart of {@code report/policy.py}. */
final class Policy {
    private final double threshold;
    private final double rejection;
    private final double[] bounds;
    private final List<Tier> tiers = new ArrayList<>();
    private final String doubtTitle;
    private final String doubtAdvice;
    final String notice;
    final Json capture; // or null

    /** What holds for one model file. Throws ClassifierException INTEGRITY when the policy does not know it. */
    Policy(Json policy, String file) {
        if (policy.get("schema_version").integer() != 1) throw wrong("is of another schema version: 1 is accepted");
        Json own = null;
        for (Json one : policy.get("artifacts").list()) if (one.get("name").text().equals(file)) own = one;
        if (own == null) throw wrong("says nothing of " + file + ": take the assets of one build");
        threshold = own.get("threshold").number();
        rejection = own.get("rejection_threshold").number();
        bounds = own.get("bounds").numbers();
        for (Json one : policy.get("tiers").list()) {
            tiers.add(new Tier(one.get("name").text(), one.get("title").text(), one.get("advice").text()));
        }
        if (bounds.length == 0 || bounds.length != tiers.size()) throw wrong("has not one bound for each tier");
        doubtTitle = policy.get("uncertain").get("title").text();
        doubtAdvice = policy.get("uncertain").get("advice").text();
        notice = policy.get("notice").text();
        capture = policy.has("capture") ? policy.get("capture") : null;
    }

    /** Softmax in float64. */
    static double[] softmax(float[] logits) {
        double highest = Double.NEGATIVE_INFINITY;
        for (float logit : logits) highest = Math.max(highest, logit);
        double[] powers = new double[logits.length];
        double total = 0;
        for (int i = 0; i < powers.length; i++) {
            powers[i] = Math.exp(logits[i] - highest);
            total += powers[i];
        }
        for (int i = 0; i < powers.length; i++) powers[i] /= total;
        return powers;
    }

    /** -p ln p - (1 - p) ln(1 - p), in nats. */
    static double entropy(double p) {
        return Math.min(part(p) + part(1 - p), Math.log(2));
    }

    private static double part(double q) {
        return q == 0 ? 0 : -q * Math.log(q);
    }

    Decision decide(double probability) {
        return probability >= threshold ? Decision.MELANOMA : Decision.OTHER;
    }

    boolean uncertain(double probability) {
        return !(entropy(probability) <= rejection); // NaN is not sure of anything
    }

    /** The last tier whose bound is not above the probability; where it is uncertain, with the words of doubt. */
    Tier tier(double probability) {
        int number = 0;
        for (int i = 0; i < bounds.length; i++) if (probability >= bounds[i]) number = i;
        Tier found = tiers.get(number);
        return uncertain(probability) ? new Tier(found.name, doubtTitle, doubtAdvice) : found;
    }

    private static ClassifierException wrong(String what) {
        return new ClassifierException(ClassifierException.Code.INTEGRITY, "policy.json " + what);
    }
}
