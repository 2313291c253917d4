/* The few functions of LiteRT's C API that melanoma_edge.c calls, since the wheel of ai-edge-litert has the library
 * (libLiteRt.so) without headers. Declared after litert/c/litert_*.h of google-ai-edge/LiteRT as of version 2.3, which
 * calls these types ABI stable; the exported names are those of `nm -D libLiteRt.so`. */
#ifndef MELANOMA_EDGE_LITERT_H
#define MELANOMA_EDGE_LITERT_H

#include <stddef.h>
#include <stdint.h>

typedef int LiteRtStatus; /* 0 is kLiteRtStatusOk */
typedef struct LiteRtEnvironmentT *LiteRtEnvironment;
typedef struct LiteRtModelT *LiteRtModel;
typedef struct LiteRtSubgraphT *LiteRtSubgraph;
typedef struct LiteRtTensorT *LiteRtTensor;
typedef struct LiteRtOptionsT *LiteRtOptions;
typedef struct LiteRtCompiledModelT *LiteRtCompiledModel;
typedef struct LiteRtTensorBufferT *LiteRtTensorBuffer;
typedef struct LiteRtTensorBufferRequirementsT *LiteRtTensorBufferRequirements;

enum { LITERT_FLOAT32 = 1, LITERT_CPU = 1, LITERT_READ = 0, LITERT_WRITE = 1, LITERT_MAX_RANK = 8 };

typedef struct {
    int32_t element_type;
    uint32_t rank; /* 7 bits; the eighth says whether strides are used */
    int32_t dimensions[LITERT_MAX_RANK];
    uint32_t strides[LITERT_MAX_RANK];
} LiteRtRankedTensorType;
_Static_assert(sizeof(LiteRtRankedTensorType) == 72, "the size that litert_model_types.h asserts");

LiteRtStatus LiteRtCreateEnvironment(int options, const void *option, LiteRtEnvironment *made);
LiteRtStatus LiteRtCreateModelFromBuffer(LiteRtEnvironment, const void *bytes, size_t size, LiteRtModel *made);
LiteRtStatus LiteRtCreateOptions(LiteRtOptions *made);
LiteRtStatus LiteRtSetOptionsHardwareAccelerators(LiteRtOptions, int accelerators);
LiteRtStatus LiteRtCreateCompiledModel(LiteRtEnvironment, LiteRtModel, LiteRtOptions, LiteRtCompiledModel *made);
LiteRtStatus LiteRtGetModelSubgraph(LiteRtModel, size_t index, LiteRtSubgraph *found);
LiteRtStatus LiteRtGetNumSubgraphInputs(LiteRtSubgraph, size_t *found);
LiteRtStatus LiteRtGetNumSubgraphOutputs(LiteRtSubgraph, size_t *found);
LiteRtStatus LiteRtGetSubgraphInput(LiteRtSubgraph, size_t index, LiteRtTensor *found);
LiteRtStatus LiteRtGetSubgraphOutput(LiteRtSubgraph, size_t index, LiteRtTensor *found);
LiteRtStatus LiteRtGetRankedTensorType(LiteRtTensor, LiteRtRankedTensorType *found);
LiteRtStatus LiteRtGetCompiledModelInputBufferRequirements(
    LiteRtCompiledModel, size_t signature, size_t index, LiteRtTensorBufferRequirements *found);
LiteRtStatus LiteRtGetCompiledModelOutputBufferRequirements(
    LiteRtCompiledModel, size_t signature, size_t index, LiteRtTensorBufferRequirements *found);
LiteRtStatus LiteRtCreateManagedTensorBufferFromRequirements(
    LiteRtEnvironment, const LiteRtRankedTensorType *, LiteRtTensorBufferRequirements, LiteRtTensorBuffer *made);
LiteRtStatus LiteRtLockTensorBuffer(LiteRtTensorBuffer, void **address, int mode);
LiteRtStatus LiteRtUnlockTensorBuffer(LiteRtTensorBuffer);
LiteRtStatus LiteRtRunCompiledModel(LiteRtCompiledModel, size_t signature, size_t inputs, LiteRtTensorBuffer *input,
    size_t outputs, LiteRtTensorBuffer *output);
void LiteRtDestroyTensorBuffer(LiteRtTensorBuffer);
void LiteRtDestroyCompiledModel(LiteRtCompiledModel);
void LiteRtDestroyOptions(LiteRtOptions);
void LiteRtDestroyModel(LiteRtModel);
void LiteRtDestroyEnvironment(LiteRtEnvironment);

#endif
