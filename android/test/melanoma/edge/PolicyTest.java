package melanoma.edge;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;

import java.io.IOException;
import org.junit.Test;

public class PolicyTest {
    @Test
    public void answersArePythons() throws IOException {
        int seen = 0;
        for (Json one : Vectors.document("policy.json").list()) {
            Policy policy = new Policy(one.get("policy"), one.get("file").text());
            for (Json wanted : one.get("answers").list()) {
                double p = wanted.get("p").number();
                assertEquals(wanted.get("decision").text(), policy.decide(p).name().toLowerCase());
                assertEquals(wanted.get("uncertain").flag(), policy.uncertain(p));
                assertEquals(wanted.get("tier").text(), policy.tier(p).name);
                assertEquals(wanted.get("title").text(), policy.tier(p).title);
                assertEquals(wanted.get("advice").text(), policy.tier(p).advice);
                assertEquals(wanted.get("entropy").number(), Policy.entropy(p), 1e-15);
                seen++;
            }
        }
        assertTrue(seen >= 1_000);
    }

    @Test
    public void noNumberIsUncertain() throws IOException {
        Json one = Vectors.document("policy.json").list().get(0);
        assertTrue(new Policy(one.get("policy"), one.get("file").text()).uncertain(Double.NaN));
    }

    @Test
    public void anotherBuildsFileIsRefused() throws IOException {
        Json policy = Vectors.document("policy.json").list().get(0).get("policy");
        Vectors.refused(ClassifierException.Code.INTEGRITY, () -> new Policy(policy, "other.tflite"));
    }

    @Test
    public void softmaxTakesLargeLogits() {
        assertArrayEquals(new double[] {0, 1}, Policy.softmax(new float[] {-1000, 1000}), 0);
        assertArrayEquals(new double[] {0.5, 0.5}, Policy.softmax(new float[] {1e30f, 1e30f}), 0);
    }
}
