package melanoma.edge;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** Whether a photograph is fit to be judged. */
public final class Quality {
    static final int VERSION = 1; // of the measures' definitions

    /** What was measured. */
    public final Measures measures;
    /** Codes of what to do better, most urgent first; none when the photograph is fit, or the policy has no limits. */
    public final List<String> advice;
    /** The same in the policy's words, in English. */
    public final List<String> words;

    private Quality(Measures measures, List<String> advice, List<String> words) {
        this.measures = measures;
        this.advice = Collections.unmodifiableList(advice);
        this.words = Collections.unmodifiableList(words);
    }

    /**
     * Of RGB bytes {@code [size, size, 3]}.
     *
     * @param capture what policy.json says, or null
     * @throws ClassifierException INTEGRITY for limits of another version's measures
     */
    static Quality of(byte[] rgb, int size, Json capture) {
        Measures found = Measures.of(rgb, size);
        List<String> advice = new ArrayList<>();
        List<String> words = new ArrayList<>();
        if (capture == null) return new Quality(found, advice, words);
        if (capture.get("version").integer() != VERSION) {
            String told = "policy.json has limits of other measures: accepted is version " + VERSION;
            throw new ClassifierException(ClassifierException.Code.INTEGRITY, told);
        }
        for (String code : capture.get("advice").keys()) {
            if (!fails(code, found, capture.get("limits"))) continue;
            advice.add(code);
            words.add(capture.get("advice").get(code).text());
        }
        return new Quality(found, advice, words);
    }

    private static boolean fails(String code, Measures found, Json limits) {
        boolean absent = found.contrast < limit(limits, "min_contrast") || found.area < limit(limits, "min_area");
        switch (code) {
            case "blurred":
                return found.focus < limit(limits, "min_focus");
            case "too_dark":
                return found.luminance < limit(limits, "min_luminance") || found.shadows > limit(limits, "max_shadows");
            case "too_bright":
                return found.luminance > limit(limits, "max_luminance")
                    || found.highlights > limit(limits, "max_highlights");
            case "no_lesion":
                return absent;
            case "lesion_cut":
                return !absent && found.cut > limit(limits, "max_cut");
            case "off_centre":
                return !absent && found.offset > limit(limits, "max_offset");
            default:
                return false;
        }
    }

    private static double limit(Json limits, String name) {
        return limits.get(name).number();
    }
}
