/* A model from a file gives back the weights of which only packed forms are read. Nothing that it
 * answers or explains shows it, as long as the file is there. */
#include "base/file.h"
#include "engine/session.h"
#include "made_model.h"
#include "model/whole.h"
#include "temp_folder.h"

#include <fcntl.h>
#include <unistd.h>

enum { CHANNELS = 32, CLASSES = 4 };

struct given_back {
    struct temp_folder folder;
    uint8_t *bytes;
    size_t n_bytes;
    struct eng_model *plain; /* from memory: nothing can be read again */
    struct eng_model *model; /* from the file */
    float *sample;
};

/* Large convolutions, one of which takes in a BatchNormalization. */
static void make_file(struct given_back *g)
{
    struct net net;
    net_init(&net, 3);
    struct eng_attr trans_b = {.name = "transB", .type = ENG_ATTR_INT, .i = 1};
    int x = net_input(&net, "x", NET_SHAPE(-1, 3, 16, 16));
    int first = made_conv(&net, "first", x, 3, CHANNELS);
    int relu = net_node(&net, "Relu", "relu", &first, 1, NULL, 0);
    int second = made_conv(&net, "second", relu, CHANNELS, CHANNELS);
    int norm = made_norm(&net, "norm", second, CHANNELS);
    int third = made_conv(&net, "third", norm, CHANNELS, CHANNELS);
    int last = net_node(&net, "Relu", "last", &third, 1, NULL, 0);
    int mean = net_node(&net, "GlobalAveragePool", "mean", &last, 1, NULL, 0);
    int flat = net_node(&net, "Flatten", "flat", &mean, 1, NULL, 0);
    int w = net_weight(&net, "w", NET_SHAPE(CLASSES, CHANNELS), -0.1f, 0.1f);
    int logits = net_node(&net, "Gemm", "logits", (int[]){flat, w}, 2, &trans_b, 1);
    net_output(&net, net_node(&net, "Softmax", "probabilities", &logits, 1, NULL, 0));
    net_to_bytes(&net, NULL, 0, &g->bytes, &g->n_bytes);
    net_fini(&net);
}

static const char *path_of(struct given_back *g)
{
    return temp_folder_file(&g->folder, "model.onnx");
}

static void open_both(struct given_back *g)
{
    struct eng_error err = {0};
    *g = (struct given_back){.folder = temp_folder_make()};
    make_file(g);
    assert_int_equal(eng_file_write(path_of(g), g->bytes, g->n_bytes, NULL), ENG_OK);
    if (eng_model_open(path_of(g), NULL, &g->model, &err) != ENG_OK) fail_msg("%s", err.text);
    if (eng_model_open_bytes(g->bytes, g->n_bytes, NULL, &g->plain, &err) != ENG_OK)
        fail_msg("%s", err.text);
    g->sample = made_sample(g->model, 1);
}

static void close_both(struct given_back *g)
{
    eng_model_destroy(g->model);
    eng_model_destroy(g->plain);
    temp_folder_remove(&g->folder);
    free(g->sample);
    free(g->bytes);
}

static const void *data_of(const struct eng_model *model, const char *name)
{
    int value = eng_graph_find(&model->graph, name);
    assert_int_not_equal(value, ENG_NO_VALUE);
    return model->graph.values[value].tensor.data;
}

static void only_packed_weights_stay(void **state)
{
    (void)state;
    struct given_back g;
    open_both(&g);
    assert_false(g.plain->lacks_weights);
    assert_non_null(data_of(g.plain, "second.w"));
    assert_true(g.model->lacks_weights);
    assert_null(data_of(g.model, "second.w"));
    assert_null(data_of(g.model, "third.w"));
    assert_non_null(data_of(g.model, "w")); /* read as it is */
    assert_string_equal(eng_model_digest(g.model), eng_model_digest(g.plain));
    close_both(&g);
}

static void they_answer_alike(void **state)
{
    (void)state;
    struct given_back g;
    open_both(&g);
    const struct eng_model *models[2] = {g.plain, g.model};
    float answers[2][CLASSES];
    for (int i = 0; i < 2; i++) {
        struct eng_session *session;
        assert_int_equal(eng_session_create(models[i], NULL, &session, NULL), ENG_OK);
        memcpy(eng_session_sample(session, 1, 0), g.sample,
               models[i]->sample_count * sizeof *g.sample);
        memcpy(answers[i], eng_session_classify(session, 1), sizeof answers[i]);
        eng_session_destroy(session);
    }
    assert_memory_equal(answers[0], answers[1], sizeof answers[0]);
    close_both(&g);
}

static void the_graph_comes_back_as_it_was(void **state)
{
    (void)state;
    struct given_back g;
    struct eng_model_whole whole;
    open_both(&g);
    assert_int_equal(eng_model_whole_begin(g.model, &whole, NULL), ENG_OK);
    const struct eng_graph *wanted = &g.plain->graph, *found = &whole.model->graph;
    assert_int_equal(found->n_values, wanted->n_values);
    for (size_t v = 0; v < wanted->n_values; v++) {
        const struct eng_tensor *a = &wanted->values[v].tensor, *b = &found->values[v].tensor;
        assert_string_equal(found->values[v].name, wanted->values[v].name);
        assert_true((a->data != NULL) == (b->data != NULL));
        if (a->data) assert_memory_equal(a->data, b->data, (size_t)eng_tensor_bytes(a));
    }
    eng_model_whole_end(&whole);
    assert_int_equal(eng_model_whole_begin(g.plain, &whole, NULL), ENG_OK);
    assert_ptr_equal(whole.model, g.plain);
    eng_model_whole_end(&whole);
    close_both(&g);
}

static void check_explanation(const struct given_back *g, enum eng_explain_method method)
{
    struct eng_explain_request request = eng_explain_defaults();
    request.method = method;
    request.steps = 4;
    request.sample = g->sample;
    struct eng_explanation wanted = made_explanation(g->plain, &request);
    struct eng_explanation found = made_explanation(g->model, &request);
    assert_int_equal(found.class_index, wanted.class_index);
    assert_string_equal(found.score_name, wanted.score_name);
    if (wanted.layer_name) assert_string_equal(found.layer_name, wanted.layer_name);
    assert_memory_equal(found.map, wanted.map,
                        (size_t)wanted.width_px * wanted.height_px * sizeof *wanted.map);
    eng_explanation_fini(&wanted);
    eng_explanation_fini(&found);
}

/* Another file may have taken its name. */
static void explanations_read_the_file_again(void **state)
{
    (void)state;
    struct given_back g;
    open_both(&g);
    for (int i = 0; i < 2; i++) {
        check_explanation(&g, ENG_EXPLAIN_GRADCAM);
        check_explanation(&g, ENG_EXPLAIN_INTEGRATED_GRADIENTS);
        assert_int_equal(eng_file_write(path_of(&g), "another", 7, NULL), ENG_OK);
    }
    close_both(&g);
}

static void another_content_is_refused(void **state)
{
    (void)state;
    struct given_back g;
    open_both(&g);
    struct eng_explain_request request = eng_explain_defaults();
    struct eng_explanation found;
    request.sample = g.sample;
    for (int i = 0; i < 2; i++) {
        struct eng_error err = {0};
        int fd = open(path_of(&g), O_WRONLY | O_CLOEXEC);
        assert_true(fd >= 0);
        if (i == 0) assert_int_equal(pwrite(fd, "x", 1, (off_t)g.n_bytes / 2), 1);
        if (i == 1) assert_int_equal(ftruncate(fd, (off_t)g.n_bytes / 2), 0);
        close(fd);
        assert_int_equal(eng_explain(g.model, &request, &found, &err),
                         i == 0 ? ENG_MISMATCH : ENG_IO);
        if (!strstr(err.text, path_of(&g)) || !strstr(err.text, i == 0 ? "wanted" : "shrank"))
            fail_msg("%s", err.text);
    }
    close_both(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_packed_weights_stay),
        cmocka_unit_test(they_answer_alike),
        cmocka_unit_test(the_graph_comes_back_as_it_was),
        cmocka_unit_test(explanations_read_the_file_again),
        cmocka_unit_test(another_content_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
