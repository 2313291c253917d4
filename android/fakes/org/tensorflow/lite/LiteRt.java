package org.tensorflow.lite;

import com.sun.jna.Library;
import com.sun.jna.Pointer;
import com.sun.jna.ptr.PointerByReference;

/** The functions of LiteRT's C API (litert/c/*.h) that the stand-in calls. They return 0 where all went well. */
public interface LiteRt extends Library {
    int LiteRtCreateEnvironment(int count, Pointer options, PointerByReference environment);

    int LiteRtCreateModelFromBuffer(Pointer environment, Pointer bytes, long size, PointerByReference model);

    int LiteRtCreateOptions(PointerByReference options);

    int LiteRtSetOptionsHardwareAccelerators(Pointer options, int accelerators);

    int LiteRtCreateCompiledModel(Pointer environment, Pointer model, Pointer options, PointerByReference compiled);

    int LiteRtGetModelSubgraph(Pointer model, long index, PointerByReference subgraph);

    int LiteRtGetSubgraphInput(Pointer subgraph, long index, PointerByReference tensor);

    int LiteRtGetSubgraphOutput(Pointer subgraph, long index, PointerByReference tensor);

    int LiteRtGetNumSubgraphOutputs(Pointer subgraph, Pointer count);

    int LiteRtGetRankedTensorType(Pointer tensor, Pointer type);

    int LiteRtGetCompiledModelInputBufferRequirements(Pointer compiled, long signature, long index, PointerByReference to);

    int LiteRtGetCompiledModelOutputBufferRequirements(Pointer compiled, long signature, long index, PointerByReference to);

    int LiteRtCreateManagedTensorBufferFromRequirements(
        Pointer environment, Pointer type, Pointer requirements, PointerByReference buffer);

    int LiteRtLockTensorBuffer(Pointer buffer, PointerByReference address, int mode);

    int LiteRtUnlockTensorBuffer(Pointer buffer);

    int LiteRtRunCompiledModel(
        Pointer compiled, long signature, long inputs, Pointer[] input, long outputs, Pointer[] output);

    void LiteRtDestroyTensorBuffer(Pointer buffer);

    void LiteRtDestroyCompiledModel(Pointer compiled);

    void LiteRtDestroyOptions(Pointer options);

    void LiteRtDestroyModel(Pointer model);

    void LiteRtDestroyEnvironment(Pointer environment);
}
