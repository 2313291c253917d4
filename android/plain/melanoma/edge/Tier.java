package melanoma.edge;

/** A step of advice. */
public final class Tier {
    /** Of the step, such as "low". */
    public final String name;
    /** To be shown: the step's, or that of doubt. */
    public final String title;
    /** To be shown: the step's, or that of doubt. */
    public final String advice;

    Tier(String name, String title, String advice) {
        this.name = name;
        this.title = title;
        this.advice = advice;
    }
}
