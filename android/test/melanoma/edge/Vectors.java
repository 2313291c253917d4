package melanoma.edge;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertThrows;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import org.junit.function.ThrowingRunnable;

/** What Python computed, in the folder that the system property {@code vectors} names. */
final class Vectors {
    private Vectors() {}

    static Json document(String name) throws IOException {
        return Json.read(Files.readAllBytes(path(name)), name);
    }

    static byte[] bytes(Json file) throws IOException {
        return Files.readAllBytes(path(file.text()));
    }

    static File folder(String name) {
        return path(name).toFile();
    }

    static Path path(String name) {
        return Paths.get(System.getProperty("vectors"), name);
    }

    static double[] doubles(float[] values) {
        double[] found = new double[values.length];
        for (int i = 0; i < found.length; i++) found[i] = values[i];
        return found;
    }

    /** Run, and see that it throws the documented exception with this code. */
    static ClassifierException refused(ClassifierException.Code code, ThrowingRunnable step) {
        ClassifierException found = assertThrows(ClassifierException.class, step);
        assertEquals(found.getMessage(), code, found.code());
        return found;
    }
}
