#include "melanoma_edge.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "litert.h"
#include "resize.h"

enum { MAX_OUTPUTS = 2, LOGITS = 0, RANK_BITS = 127 }; /* a heat map may be the second output; it is not read here */

struct melanoma_edge {
    int side, classes;
    size_t outputs;
    uint8_t *square, *pixels; /* the image's centred square; the network's input in levels */
    size_t room;              /* bytes that `square` has */
    void *bytes;              /* the file, which LiteRT reads as long as the model lives */
    LiteRtEnvironment environment;
    LiteRtModel model;
    LiteRtOptions options;
    LiteRtCompiledModel compiled;
    LiteRtTensorBuffer input, output[MAX_OUTPUTS];
};

static void *read_file(const char *path, size_t *size) {
    FILE *file = fopen(path, "rb");
    void *bytes = NULL;
    long end;
    if (!file) return NULL;
    if (!fseek(file, 0, SEEK_END) && (end = ftell(file)) > 0 && !fseek(file, 0, SEEK_SET)) {
        *size = (size_t)end;
        bytes = malloc(*size);
        if (bytes && fread(bytes, 1, *size, file) != *size) {
            free(bytes);
            bytes = NULL;
        }
    }
    fclose(file);
    return bytes;
}

/* Whether a tensor is float32 of this rank. */
static int is_float(const LiteRtRankedTensorType *type, uint32_t rank) {
    return type->element_type == LITERT_FLOAT32 && (type->rank & RANK_BITS) == rank && type->dimensions[0] == 1;
}

/* The sides of the network: the input's pixels and the number of logits. */
static int fits(melanoma_edge *c, const LiteRtRankedTensorType *image, const LiteRtRankedTensorType *logits) {
    const int32_t *in = image->dimensions, *out = logits->dimensions;
    if (!is_float(image, 4) || in[1] < 1 || in[1] > MELANOMA_EDGE_MAX_SIDE || in[1] != in[2] || in[3] != 3) return 0;
    if (!is_float(logits, 2) || out[1] < 2 || out[1] > MELANOMA_EDGE_MAX_CLASSES) return 0;
    c->side = in[1];
    c->classes = out[1];
    return 1;
}

static melanoma_edge_status buffers(melanoma_edge *c) {
    LiteRtSubgraph graph;
    LiteRtTensor tensor;
    LiteRtTensorBufferRequirements needs;
    LiteRtRankedTensorType image, made[MAX_OUTPUTS];
    size_t inputs = 0;
    if (LiteRtGetModelSubgraph(c->model, 0, &graph) || LiteRtGetNumSubgraphInputs(graph, &inputs) ||
        LiteRtGetNumSubgraphOutputs(graph, &c->outputs))
        return MELANOMA_EDGE_MODEL;
    if (inputs != 1 || c->outputs < 1 || c->outputs > MAX_OUTPUTS) return MELANOMA_EDGE_MODEL;
    if (LiteRtGetSubgraphInput(graph, 0, &tensor) || LiteRtGetRankedTensorType(tensor, &image)) return MELANOMA_EDGE_MODEL;
    for (size_t i = 0; i < c->outputs; i++)
        if (LiteRtGetSubgraphOutput(graph, i, &tensor) || LiteRtGetRankedTensorType(tensor, &made[i]))
            return MELANOMA_EDGE_MODEL;
    if (!fits(c, &image, &made[LOGITS])) return MELANOMA_EDGE_MODEL;
    if (LiteRtGetCompiledModelInputBufferRequirements(c->compiled, 0, 0, &needs) ||
        LiteRtCreateManagedTensorBufferFromRequirements(c->environment, &image, needs, &c->input))
        return MELANOMA_EDGE_RUNTIME;
    for (size_t i = 0; i < c->outputs; i++)
        if (LiteRtGetCompiledModelOutputBufferRequirements(c->compiled, 0, i, &needs) ||
            LiteRtCreateManagedTensorBufferFromRequirements(c->environment, &made[i], needs, &c->output[i]))
            return MELANOMA_EDGE_RUNTIME;
    c->pixels = malloc((size_t)c->side * (size_t)c->side * 3);
    return c->pixels ? MELANOMA_EDGE_OK : MELANOMA_EDGE_MEMORY;
}

static melanoma_edge_status load(melanoma_edge *c, const char *tflite) {
    size_t size = 0;
    c->bytes = read_file(tflite, &size);
    if (!c->bytes || size < 8 || memcmp((const char *)c->bytes + 4, "TFL3", 4)) return MELANOMA_EDGE_MODEL;
    if (LiteRtCreateEnvironment(0, NULL, &c->environment)) return MELANOMA_EDGE_RUNTIME;
    if (LiteRtCreateModelFromBuffer(c->environment, c->bytes, size, &c->model)) return MELANOMA_EDGE_MODEL;
    if (LiteRtCreateOptions(&c->options) || LiteRtSetOptionsHardwareAccelerators(c->options, LITERT_CPU))
        return MELANOMA_EDGE_RUNTIME;
    if (LiteRtCreateCompiledModel(c->environment, c->model, c->options, &c->compiled)) return MELANOMA_EDGE_MODEL;
    return buffers(c);
}

melanoma_edge_status melanoma_edge_open(const char *tflite, melanoma_edge **made) {
    melanoma_edge *c;
    melanoma_edge_status status;
    if (made) *made = NULL;
    if (!tflite || !made) return MELANOMA_EDGE_USAGE;
    c = calloc(1, sizeof *c);
    if (!c) return MELANOMA_EDGE_MEMORY;
    status = load(c, tflite);
    if (status == MELANOMA_EDGE_OK) *made = c;
    else melanoma_edge_close(c);
    return status;
}

int melanoma_edge_side(const melanoma_edge *classifier) { return classifier ? classifier->side : 0; }

/* The image's centred square, an odd pixel of margin to the right or bottom, as the network's input in levels. */
static melanoma_edge_status prepare(melanoma_edge *c, const uint8_t *rgb, int width, int height) {
    size_t side = (size_t)(width < height ? width : height), left = ((size_t)width - side) / 2;
    size_t top = ((size_t)height - side) / 2;
    if (side * side * 3 > c->room) {
        free(c->square);
        c->room = 0;
        c->square = malloc(side * side * 3);
        if (!c->square) return MELANOMA_EDGE_MEMORY;
        c->room = side * side * 3;
    }
    for (size_t y = 0; y < side; y++)
        memcpy(c->square + y * side * 3, rgb + ((top + y) * (size_t)width + left) * 3, side * 3);
    return resize_square(c->square, (int)side, c->side, c->pixels) ? MELANOMA_EDGE_OK : MELANOMA_EDGE_MEMORY;
}

static melanoma_edge_status run(melanoma_edge *c, float *logits) {
    void *address;
    size_t count = (size_t)c->side * (size_t)c->side * 3;
    if (LiteRtLockTensorBuffer(c->input, &address, LITERT_WRITE)) return MELANOMA_EDGE_RUNTIME;
    for (size_t i = 0; i < count; i++) ((float *)address)[i] = ((float)c->pixels[i] - 128.0f) / 128.0f;
    if (LiteRtUnlockTensorBuffer(c->input) || LiteRtRunCompiledModel(c->compiled, 0, 1, &c->input, c->outputs, c->output))
        return MELANOMA_EDGE_RUNTIME;
    if (LiteRtLockTensorBuffer(c->output[LOGITS], &address, LITERT_READ)) return MELANOMA_EDGE_RUNTIME;
    memcpy(logits, address, (size_t)c->classes * sizeof *logits);
    if (LiteRtUnlockTensorBuffer(c->output[LOGITS])) return MELANOMA_EDGE_RUNTIME;
    for (int k = 0; k < c->classes; k++)
        if (!isfinite(logits[k])) return MELANOMA_EDGE_RUNTIME;
    return MELANOMA_EDGE_OK;
}

static double softmax(const float *logits, int classes, int wanted) {
    double largest = logits[0], sum = 0;
    for (int k = 1; k < classes; k++)
        if (logits[k] > largest) largest = logits[k];
    for (int k = 0; k < classes; k++) sum += exp(logits[k] - largest);
    return exp(logits[wanted] - largest) / sum;
}

melanoma_edge_status melanoma_edge_classify(melanoma_edge *c, const uint8_t *rgb, int width, int height, int melanoma,
    melanoma_edge_result *result) {
    float logits[MELANOMA_EDGE_MAX_CLASSES];
    melanoma_edge_status status;
    if (!result) return MELANOMA_EDGE_USAGE;
    memset(result, 0, sizeof *result);
    result->probability = result->entropy = NAN;
    if (!c || melanoma < 0 || melanoma >= c->classes) return MELANOMA_EDGE_USAGE;
    if (!rgb || width < 1 || height < 1 || width > MELANOMA_EDGE_MAX_SIDE || height > MELANOMA_EDGE_MAX_SIDE)
        return MELANOMA_EDGE_IMAGE;
    status = prepare(c, rgb, width, height);
    if (status == MELANOMA_EDGE_OK) status = run(c, logits);
    if (status != MELANOMA_EDGE_OK) return status;
    double p = softmax(logits, c->classes, melanoma);
    result->probability = p;
    result->entropy = (p > 0 ? -p * log(p) : 0) + (p < 1 ? -(1 - p) * log(1 - p) : 0);
    result->classes = c->classes;
    memcpy(result->logits, logits, sizeof logits[0] * (size_t)c->classes);
    return MELANOMA_EDGE_OK;
}

void melanoma_edge_close(melanoma_edge *c) {
    if (!c) return;
    if (c->input) LiteRtDestroyTensorBuffer(c->input);
    for (size_t i = 0; i < MAX_OUTPUTS; i++)
        if (c->output[i]) LiteRtDestroyTensorBuffer(c->output[i]);
    if (c->compiled) LiteRtDestroyCompiledModel(c->compiled);
    if (c->options) LiteRtDestroyOptions(c->options);
    if (c->model) LiteRtDestroyModel(c->model);
    if (c->environment) LiteRtDestroyEnvironment(c->environment);
    free(c->bytes);
    free(c->square);
    free(c->pixels);
    free(c);
}

const char *melanoma_edge_why(melanoma_edge_status status) {
    switch (status) {
    case MELANOMA_EDGE_OK: return "done";
    case MELANOMA_EDGE_USAGE: return "a null pointer, or a class that the network does not have";
    case MELANOMA_EDGE_MODEL: return "not a .tflite file of melanoma-edge: float32 [1,S,S,3] in, float32 [1,K] out";
    case MELANOMA_EDGE_IMAGE: return "not an image: sides from 1 to 32768 pixels are accepted";
    case MELANOMA_EDGE_MEMORY: return "out of memory";
    case MELANOMA_EDGE_RUNTIME: return "LiteRT could not run it, or gave something that is no number";
    }
    return "unknown status";
}
