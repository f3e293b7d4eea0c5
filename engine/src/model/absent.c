#include "model/absent.h"

#include <stddef.h>
#include <string.h>

#define CONTROL                                                                                \
    "decides while the model runs which nodes run; wanted a graph whose branches follow from " \
    "shapes, and no loops: "                                                                   \
    "export the traced module (torch.onnx.export of an nn.Module, not of torch.jit.script), "  \
    "with fixed sizes if need be, or fold the file with onnxsim"
#define BY_VALUES                                                                          \
    "gives an output whose shape depends on the picture; shapes must be known before the " \
    "picture is: export the network without its post-processing"
#define NO_TENSOR                                                                              \
    "works on sequences or optional values; wanted tensors only: export with fixed sizes, so " \
    "that lists are unrolled"
#define RANDOM "gives random numbers; wanted a model exported for inference (model.eval())"

/* A '*' at the end stands for any rest; no reason: it is there. */
static const struct {
    const char *domain, *op_type, *reason;
} rows[] = {
    {"", "If", CONTROL},
    {"", "Loop", CONTROL},
    {"", "Scan", CONTROL},
    {"", "NonZero", BY_VALUES},
    {"", "NonMaxSuppression", BY_VALUES},
    {"", "Unique", BY_VALUES},
    {"", "Compress", BY_VALUES},
    {"", "Sequence*", NO_TENSOR},
    {"", "Optional*", NO_TENSOR},
    {"", "SplitToSequence", NO_TENSOR},
    {"", "ConcatFromSequence", NO_TENSOR},
    {"", "Random*", RANDOM},
    {"", "Bernoulli", RANDOM},
    {"", "Multinomial", RANDOM},
    {"ai.onnx.ml", "ArrayFeatureExtractor", NULL},
    {"ai.onnx.ml", "Scaler", NULL},
    {"ai.onnx.ml", "ZipMap",
     "gives maps; wanted tensors: convert with options={'zipmap': False} (skl2onnx)"},
    {"ai.onnx.ml", "*",
     "belongs to classical machine learning; wanted a network of ai.onnx's operators"},
    {"com.microsoft", "*",
     "is ONNX Runtime's own; wanted the file as it was before ONNX Runtime optimised it, or "
     "quantised with QuantizeLinear and DequantizeLinear (quant_format QDQ)"},
};

static int matches(const char *pattern, const char *name)
{
    size_t n = strlen(pattern);
    return pattern[n - 1] == '*' ? strncmp(pattern, name, n - 1) == 0 : strcmp(pattern, name) == 0;
}

const char *eng_absent_reason(const char *domain, const char *op_type)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strcmp(rows[i].domain, domain) == 0 && matches(rows[i].op_type, op_type))
            return rows[i].reason;
    return NULL;
}
