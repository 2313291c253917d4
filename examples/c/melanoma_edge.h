/* A .tflite file of melanoma-edge on a board: an RGB image in, a probability of melanoma out. An aid, never a diagnosis.
 *
 * Every function but `close` and `why` returns MELANOMA_EDGE_OK or what went wrong; on an error the probability is NaN,
 * the entropy too, and no logit is given. A classifier is for one thread at a time. */
#ifndef MELANOMA_EDGE_H
#define MELANOMA_EDGE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { MELANOMA_EDGE_MAX_CLASSES = 16, MELANOMA_EDGE_MAX_SIDE = 32768 };

typedef enum {
    MELANOMA_EDGE_OK = 0,
    MELANOMA_EDGE_USAGE = 1,   /* a null pointer, a class that is not there */
    MELANOMA_EDGE_MODEL = 2,   /* no file, or none of melanoma-edge: float32 [1,S,S,3] in, float32 [1,K] out */
    MELANOMA_EDGE_IMAGE = 3,   /* no image: null, a side below 1 or above MELANOMA_EDGE_MAX_SIDE */
    MELANOMA_EDGE_MEMORY = 4,
    MELANOMA_EDGE_RUNTIME = 5, /* LiteRT refused, or computed something that is no number */
} melanoma_edge_status;

typedef struct melanoma_edge melanoma_edge;

typedef struct {
    double probability; /* of `melanoma`: softmax of the logits, in double */
    double entropy;     /* -p ln p - (1 - p) ln(1 - p), in nats: above policy.json's rejection_threshold it is uncertain */
    int classes;
    float logits[MELANOMA_EDGE_MAX_CLASSES];
} melanoma_edge_result;

/* Read a file and make it ready for the processor. On an error *made is null. */
melanoma_edge_status melanoma_edge_open(const char *tflite, melanoma_edge **made);

/* Side of the network's input in pixels; 0 for null. */
int melanoma_edge_side(const melanoma_edge *classifier);

/* Classify an upright RGB image, width * height * 3 bytes, row by row. Its centred square is resized as Pillow does it,
 * level for level. melanoma: index of the class, `task.melanoma` in policy.json. */
melanoma_edge_status melanoma_edge_classify(melanoma_edge *classifier, const uint8_t *rgb, int width, int height,
    int melanoma, melanoma_edge_result *result);

void melanoma_edge_close(melanoma_edge *classifier);

/* A status in words. */
const char *melanoma_edge_why(melanoma_edge_status status);

#ifdef __cplusplus
}
#endif
#endif
