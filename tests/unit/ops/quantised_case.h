/* Inputs of quantised operators: 8-bit tensors over their whole range, scalars, positive scales. */
#ifndef TEST_OPS_QUANTISED_CASE_H
#define TEST_OPS_QUANTISED_CASE_H

#define BYTES(...)                                                             \
    {                                                                          \
        .dtype = ENG_UINT8, .shape = SHAPE(__VA_ARGS__), .low = 0, .high = 255 \
    }
#define SIGNED(...)                                                              \
    {                                                                            \
        .dtype = ENG_INT8, .shape = SHAPE(__VA_ARGS__), .low = -128, .high = 127 \
    }
#define ONE(TYPE, VALUE)                                                \
    {                                                                   \
        .dtype = TYPE, .shape = {.rank = 0}, .values = (const double[]) \
        {                                                               \
            VALUE                                                       \
        }                                                               \
    }
#define SCALES(...)                                                                   \
    {                                                                                 \
        .dtype = ENG_FLOAT32, .shape = SHAPE(__VA_ARGS__), .low = 0.001, .high = 0.01 \
    }

#endif
