#ifndef MELANOMA_EDGE_RESIZE_H
#define MELANOMA_EDGE_RESIZE_H

#include <stdint.h>

/* A square RGB image of `side` * `side` * 3 bytes as `size` * `size` * 3 bytes. Returns 0 where memory runs out. */
int resize_square(const uint8_t *rgb, int side, int size, uint8_t *result);

#endif
