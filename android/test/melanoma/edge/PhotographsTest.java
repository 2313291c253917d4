package melanoma.edge;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertNull;
import static org.junit.Assert.assertTrue;

import android.content.Context;
import java.io.IOException;
import org.junit.Test;

public class PhotographsTest {
    @Test
    public void everythingIsPythons() throws IOException {
        int seen = 0;
        try (MelanomaClassifier classifier = MelanomaClassifier.create(new Context(Vectors.folder("assets")))) {
            for (Json one : Vectors.document("photographs_int8.json").list()) {
                compare(one, classifier.classify(Vectors.bytes(one.get("file"))), 0);
                seen++;
            }
        }
        assertTrue(seen >= 100);
    }

    /** The same words and decisions, and logits that differ by no more than {@code tolerance}. */
    static void compare(Json wanted, Classification found, double tolerance) {
        assertArrayEquals(wanted.get("logits").numbers(), Vectors.doubles(found.logits), tolerance);
        assertEquals(wanted.get("p").number(), found.probability, tolerance + 1e-15);
        assertEquals(wanted.get("decision").text(), found.decision.name().toLowerCase());
        assertEquals(wanted.get("uncertain").flag(), found.uncertain);
        assertEquals(wanted.get("title").text(), found.tier.title);
        assertEquals(wanted.get("advice").text(), found.tier.advice);
        assertEquals(wanted.get("faults").text(), String.join(",", found.quality.advice));
        assertTrue(found.notice.contains("Never a diagnosis"));
        assertTrue(found.timings.total >= found.timings.network && found.timings.network > 0);
        assertNull(found.heatMap);
    }
}
