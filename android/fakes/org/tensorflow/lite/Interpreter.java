package org.tensorflow.lite;

import com.sun.jna.Memory;
import com.sun.jna.Native;
import com.sun.jna.Pointer;
import com.sun.jna.ptr.PointerByReference;
import java.nio.ByteBuffer;
import java.util.Map;

/**
 * As much of LiteRT's class as the package uses, over the very LiteRT that Python runs: {@code libLiteRt.so} of the wheel
 * ai-edge-litert, through JNA. The system property {@code litert} names the file.
 */
public final class Interpreter {
    private static final int TYPE_BYTES = 256; // more than LiteRtRankedTensorType has
    private static final int CPU = 1; // kLiteRtHwAcceleratorCpu
    private static final int READ = 0;
    private static final int WRITE = 1;
    private static LiteRt loaded;

    private final LiteRt lite = library();
    private final Memory model;
    private final Pointer environment;
    private final Pointer parsed;
    private final Pointer compiled;
    private final Pointer options;
    private final Pointer input;
    private final Pointer[] outputs;

    public static class Options {
        private int threads;

        public Options setNumThreads(int threads) {
            this.threads = threads;
            return this;
        }
    }

    public Interpreter(ByteBuffer file, Options wanted) {
        if (wanted.threads != 1) throw new IllegalArgumentException("this stand-in runs on one thread");
        model = new Memory(file.remaining());
        model.getByteBuffer(0, file.remaining()).put(file.duplicate());
        PointerByReference to = new PointerByReference();
        check("environment", lite.LiteRtCreateEnvironment(0, null, to));
        environment = to.getValue();
        check("model", lite.LiteRtCreateModelFromBuffer(environment, model, model.size(), to));
        parsed = to.getValue();
        check("options", lite.LiteRtCreateOptions(to));
        options = to.getValue();
        check("accelerators", lite.LiteRtSetOptionsHardwareAccelerators(options, CPU));
        check("compile", lite.LiteRtCreateCompiledModel(environment, parsed, options, to));
        compiled = to.getValue();
        check("subgraph", lite.LiteRtGetModelSubgraph(parsed, 0, to));
        Pointer graph = to.getValue();
        check("input", lite.LiteRtGetSubgraphInput(graph, 0, to));
        Pointer tensor = to.getValue();
        check("requirements", lite.LiteRtGetCompiledModelInputBufferRequirements(compiled, 0, 0, to));
        input = held(tensor, to.getValue());
        outputs = new Pointer[count(graph)];
        for (int i = 0; i < outputs.length; i++) {
            check("output", lite.LiteRtGetSubgraphOutput(graph, i, to));
            tensor = to.getValue();
            check("requirements", lite.LiteRtGetCompiledModelOutputBufferRequirements(compiled, 0, i, to));
            outputs[i] = held(tensor, to.getValue());
        }
    }

    public void runForMultipleInputsOutputs(Object[] inputs, Map<Integer, Object> wanted) {
        ByteBuffer from = (ByteBuffer) inputs[0];
        PointerByReference to = new PointerByReference();
        check("lock", lite.LiteRtLockTensorBuffer(input, to, WRITE));
        to.getValue().getByteBuffer(0, from.remaining()).put(from.duplicate());
        check("unlock", lite.LiteRtUnlockTensorBuffer(input));
        check("run", lite.LiteRtRunCompiledModel(compiled, 0, 1, new Pointer[] {input}, outputs.length, outputs));
        for (Map.Entry<Integer, Object> one : wanted.entrySet()) {
            ByteBuffer into = (ByteBuffer) one.getValue();
            check("lock", lite.LiteRtLockTensorBuffer(outputs[one.getKey()], to, READ));
            into.put(to.getValue().getByteBuffer(0, into.remaining()));
            check("unlock", lite.LiteRtUnlockTensorBuffer(outputs[one.getKey()]));
        }
    }

    public void close() {
        lite.LiteRtDestroyTensorBuffer(input);
        for (Pointer output : outputs) lite.LiteRtDestroyTensorBuffer(output);
        lite.LiteRtDestroyCompiledModel(compiled);
        lite.LiteRtDestroyOptions(options);
        lite.LiteRtDestroyModel(parsed);
        lite.LiteRtDestroyEnvironment(environment);
    }

    private Pointer held(Pointer tensor, Pointer requirements) {
        Memory type = new Memory(TYPE_BYTES);
        PointerByReference to = new PointerByReference();
        check("type", lite.LiteRtGetRankedTensorType(tensor, type));
        check("buffer", lite.LiteRtCreateManagedTensorBufferFromRequirements(environment, type, requirements, to));
        return to.getValue();
    }

    private int count(Pointer graph) {
        Memory found = new Memory(Native.POINTER_SIZE);
        check("outputs", lite.LiteRtGetNumSubgraphOutputs(graph, found));
        return (int) found.getLong(0);
    }

    private static void check(String what, int status) {
        if (status != 0) throw new IllegalArgumentException("LiteRT: " + what + ": status " + status);
    }

    private static synchronized LiteRt library() {
        if (loaded == null) loaded = Native.load(System.getProperty("litert"), LiteRt.class);
        return loaded;
    }
}
