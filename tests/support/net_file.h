/* A test network as the bytes of an ONNX file. */
#ifndef TEST_SUPPORT_NET_FILE_H
#define TEST_SUPPORT_NET_FILE_H

#include "model/convert.h"
#include "net.h"
#include "onnx/onnx.h"

/* With these metadata rows; the caller frees *bytes. */
static inline void net_to_bytes(const struct net *net, struct onnx_property *properties,
                                size_t n_properties, uint8_t **bytes, size_t *n_bytes)
{
    struct onnx_model onnx;
    struct eng_error err = {0};
    if (eng_convert_export(&net->graph, &onnx, &err) != ENG_OK) fail_msg("%s", err.text);
    onnx.properties = properties;
    onnx.n_properties = n_properties;
    if (onnx_model_write(&onnx, bytes, n_bytes, &err) != ENG_OK) fail_msg("%s", err.text);
    onnx_model_fini(&onnx);
}

#endif
