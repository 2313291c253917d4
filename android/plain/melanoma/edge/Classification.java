package melanoma.edge;

/** What the network and the policy say to one photograph. An aid for engineers and researchers. Never a diagnosis. */
public final class Classification {
    /** Of melanoma, 0 to 1. */
    public final double probability;
    /** At the model's own threshold. */
    public final Decision decision;
    /** The policy's advice for this probability, or for doubt. */
    public final Tier tier;
    /** Whether the network is too unsure for its decision to count; the tier then holds the words of doubt. */
    public final boolean uncertain;
    /** Of the probability, in nats: what {@code uncertain} goes by. */
    public final double entropy;
    /** What the photograph lacks, judged without the network. */
    public final Quality quality;
    /** Where the network saw melanoma; null when the model has no such output. */
    public final Grid heatMap;
    /** By class, as they come out. */
    public final float[] logits;
    /** How long it took. */
    public final Timings timings;
    /** To be shown beside every answer. */
    public final String notice;

    Classification(double probability, Policy policy, Quality quality, Engine.Answer answer, Timings timings) {
        this.probability = probability;
        this.decision = policy.decide(probability);
        this.tier = policy.tier(probability);
        this.uncertain = policy.uncertain(probability);
        this.entropy = Policy.entropy(probability);
        this.quality = quality;
        this.heatMap = answer.heatMap;
        this.logits = answer.logits;
        this.timings = timings;
        this.notice = policy.notice;
    }
}
