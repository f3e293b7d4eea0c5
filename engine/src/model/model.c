#include "model/model_internal.h"

#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/stopwatch.h"
#include "graph/inference.h"
#include "kernels/bf16.h"
#include "graph/passes.h"
#include "model/convert.h"
#include "model/declared.h"
#include "onnx/onnx.h"

#include <stdlib.h>
#include <string.h>

enum { DEFAULT_MAX_BATCH = 32, MAX_MAX_BATCH = 1024, TUNING_S = 2 };

static const size_t MAX_FILE_BYTES = (size_t)2 << 30; /* protobuf's own bound */

static void settle(void *model)
{
    eng_model_take_said_size(model);
}

enum eng_status eng_model_import(struct eng_model *model, struct onnx_model *onnx,
                                 struct eng_error *err)
{
    enum eng_status status = eng_convert_import_take(onnx, &model->graph, settle, model, err);
    return status == ENG_OK ? eng_model_settle_input(model, err) : status;
}

/* What has been done since the last lap was this step. */
static void lap(struct eng_model *model, enum eng_load_step step)
{
    double now_s = eng_stopwatch_s();
    model->load_s[step] += now_s - model->lap_s;
    model->lap_s = now_s;
}

/* A model's bytes: in memory, or a file's. */
struct source {
    const void *bytes;
    size_t n_bytes;
    const struct eng_open_file *file; /* NULL: bytes */
};

static enum eng_status read_onnx(struct eng_model *model, const struct source *source,
                                 const struct eng_model_options *options, struct eng_error *err)
{
    struct onnx_model onnx;
    enum eng_status status = source->file
                                 ? onnx_model_read_file(source->file, &onnx, err)
                                 : onnx_model_read(source->bytes, source->n_bytes, &onnx, err);
    lap(model, ENG_LOAD_READ);
    if (status != ENG_OK) return status;
    status = eng_card_read(&onnx, options, &model->arena, &model->source, err);
    if (status == ENG_OK) status = eng_model_import(model, &onnx, err);
    if (status == ENG_OK) status = eng_declared_check(&onnx, &model->graph, err);
    onnx_model_fini(&onnx);
    model->n_imported_nodes = model->graph.n_nodes;
    if (status == ENG_OK) status = eng_passes_optimise(&model->graph, err);
    lap(model, ENG_LOAD_GRAPH);
    return status;
}

static enum eng_status make_plans(struct eng_model *model, struct eng_error *err)
{
    model->plans = eng_arena_alloc(&model->arena, (size_t)model->n_plans, sizeof *model->plans);
    if (!model->plans) return eng_fail_memory(err, "the model's plans");
    for (int b = 0; b < model->n_plans; b++) {
        bool apart = b > 0 && model->samples_apart;
        enum eng_status status =
            eng_plan_create_in(&model->arena, &model->turned, apart ? model->plans[0] : NULL, b + 1,
                               model->override_batch, &model->plans[b], err);
        if (status != ENG_OK) return status;
        model->has_apart |= model->plans[b]->n_apart > 0;
        size_t n_bytes = model->plans[b]->arena_bytes;
        model->arena_bytes = n_bytes > model->arena_bytes ? n_bytes : model->arena_bytes;
    }
    return ENG_OK;
}

/* Neighbours go together: a page that two of them share would stay, and on huge pages with it a
 * large one. */
static void forget_next(struct eng_memory *run, const struct eng_tensor *tensor)
{
    char *end = (char *)run->bytes + eng_align_up(run->n_bytes);
    if (run->bytes && end == tensor->data) {
        run->n_bytes = (size_t)(end - (char *)run->bytes) + (size_t)eng_tensor_bytes(tensor);
        return;
    }
    if (run->bytes) eng_forget(run->bytes, run->n_bytes);
    *run = (struct eng_memory){.bytes = tensor->data, .n_bytes = (size_t)eng_tensor_bytes(tensor)};
}

/* Large constants that only their packed form is read of give their memory back. */
static enum eng_status drop_packed(struct eng_model *model, struct eng_error *err)
{
    struct eng_memory run = {0};
    int *uses = eng_calloc(model->turned.n_values, sizeof *uses);
    if (!uses) return eng_fail_memory(err, "the model's weights");
    eng_graph_count_uses(&model->turned, uses);
    for (size_t v = 0; v < model->graph.n_values; v++) {
        struct eng_tensor *tensor = &model->graph.values[v].tensor;
        if (uses[v] > 0 || model->graph.values[v].kind != ENG_VALUE_CONSTANT ||
            !eng_memory_holds(&model->graph.weights, tensor->data))
            continue;
        forget_next(&run, tensor);
        tensor->data = NULL;
        model->turned.values[v].tensor = (struct eng_tensor){.dtype = ENG_DTYPE_NONE};
        model->lacks_weights = true;
    }
    if (run.bytes) eng_forget(run.bytes, run.n_bytes);
    free(uses);
    return ENG_OK;
}

/* The graph that inference runs, and the shapes of its values. */
static enum eng_status make_turned(struct eng_model *model, const struct eng_model_options *options,
                                   bool from_file, struct eng_error *err)
{
    const struct eng_card_engine *engine = &model->source.engine;
    int tuning = engine->tuning == ENG_CARD_UNSAID ? (int)options->tuning : engine->tuning;
    int precision =
        engine->precision == ENG_CARD_UNSAID ? (int)options->precision : engine->precision;
    model->wanted_precision = (enum eng_precision)precision;
    if (eng_bf16_kernels()) model->precision = model->wanted_precision;
    struct eng_ways ways = {.bf16 = model->precision == ENG_PRECISION_BF16,
                            .measures = tuning == ENG_TUNING_MEASURE,
                            .tuner = {.cache = options->tuning_cache, .budget_s = TUNING_S},
                            .pins = engine->pins,
                            .n_pins = engine->n_pins};
    struct eng_rewrite rewrite;
    enum eng_status status =
        eng_rewrite_begin(&rewrite, &model->graph, model->symbolic, &model->turned, err);
    rewrite.spare = from_file ? &model->graph.weights : NULL;
    rewrite.override_batch = model->override_batch;
    rewrite.one_sample = model->n_plans == 1;
    rewrite.ways = &ways;
    if (status == ENG_OK) status = eng_inference_rewrite(&rewrite, err);
    if (status == ENG_OK) status = eng_ways_check_pins(&ways, err);
    if (status == ENG_OK) {
        model->symbolic = eng_arena_copy(&model->arena, rewrite.shapes,
                                         model->turned.n_values * sizeof *rewrite.shapes);
        if (!model->symbolic) status = eng_fail_memory(err, "the model's shapes");
    }
    eng_rewrite_end(&rewrite);
    return status == ENG_OK && from_file ? drop_packed(model, err) : status;
}

static enum eng_status build(struct eng_model *model, const struct source *source,
                             const struct eng_model_options *options, struct eng_error *err)
{
    int max_batch = options->max_batch ? options->max_batch : DEFAULT_MAX_BATCH;
    if (max_batch < 1 || max_batch > MAX_MAX_BATCH)
        return eng_fail(err, ENG_ARGUMENT, "max_batch is %d, wanted 1 to %d", max_batch,
                        MAX_MAX_BATCH);
    enum eng_status status = read_onnx(model, source, options, err);
    if (model->source.card.batching.max_batch > 0)
        max_batch = (int)model->source.card.batching.max_batch;
    if (status == ENG_OK) status = eng_model_find_batch(model, max_batch, err);
    lap(model, ENG_LOAD_BATCH);
    if (status == ENG_OK) status = make_turned(model, options, source->file != NULL, err);
    lap(model, ENG_LOAD_PACK);
    if (status == ENG_OK) status = eng_graph_settle(&model->graph, err);
    if (status == ENG_OK) status = eng_graph_settle(&model->turned, err);
    if (status == ENG_OK) status = make_plans(model, err);
    lap(model, ENG_LOAD_PLAN);
    if (status == ENG_OK) status = eng_model_complete_card(model, err);
    lap(model, ENG_LOAD_CARD);
    return status;
}

/* Another file may take its name; what was loaded stays readable. */
static enum eng_status keep_file(struct eng_model *model, const struct eng_open_file *file,
                                 struct eng_error *err)
{
    const char *path = eng_arena_string(&model->arena, file->path, strlen(file->path));
    if (!path) return eng_fail_memory(err, "a path");
    return eng_open_file_again(file, path, &model->file, err);
}

/* The digest is computed meanwhile. The file must be the same from beginning to end. */
static enum eng_status build_from_file(struct eng_model *model, const struct eng_open_file *file,
                                       const struct eng_model_options *options,
                                       struct eng_error *err)
{
    struct eng_file_digest digest;
    eng_file_digest_begin(file, &digest);
    enum eng_status status = build(model, &(struct source){.file = file}, options, err);
    enum eng_status digested = eng_file_digest_end(&digest, status == ENG_OK, err);
    lap(model, ENG_LOAD_DIGEST);
    if (status == ENG_OK) status = digested;
    if (status == ENG_OK) status = eng_open_file_check(file, err);
    if (status == ENG_OK) memcpy(model->digest, digest.hex, sizeof digest.hex);
    if (status == ENG_OK && model->lacks_weights) status = keep_file(model, file, err);
    return status;
}

static enum eng_status build_from_bytes(struct eng_model *model, const struct source *source,
                                        const struct eng_model_options *options,
                                        struct eng_error *err)
{
    eng_digest_sha256(source->bytes, source->n_bytes, model->digest);
    lap(model, ENG_LOAD_DIGEST);
    return build(model, source, options, err);
}

static enum eng_status open_source(const struct source *source,
                                   const struct eng_model_options *options, struct eng_model **out,
                                   struct eng_error *err)
{
    struct eng_model *model = eng_calloc(1, sizeof *model);
    if (!model) return eng_fail_memory(err, "a model");
    eng_arena_init_lasting(&model->arena);
    eng_graph_init(&model->graph);
    eng_graph_init(&model->turned);
    model->lap_s = eng_stopwatch_s();
    enum eng_status status = source->file ? build_from_file(model, source->file, options, err)
                                          : build_from_bytes(model, source, options, err);
    if (status != ENG_OK) {
        eng_model_destroy(model);
        return status;
    }
    *out = model;
    return ENG_OK;
}

enum eng_status eng_model_open_bytes(const void *bytes, size_t n_bytes,
                                     const struct eng_model_options *options,
                                     struct eng_model **out, struct eng_error *err)
{
    static const struct eng_model_options defaults = {0};
    if (!options) options = &defaults;
    return open_source(&(struct source){.bytes = bytes, .n_bytes = n_bytes}, options, out, err);
}

/* "FOLDER" + "/model.onnx" and so on, in arena; NULL when out of memory. */
static char *join(struct eng_arena *arena, const char *folder, const char *name)
{
    size_t n_folder = strlen(folder), n_name = strlen(name);
    char *path = eng_arena_alloc(arena, n_folder + n_name + 2, 1);
    if (!path) return NULL;
    memcpy(path, folder, n_folder);
    path[n_folder] = '/';
    memcpy(path + n_folder + 1, name, n_name);
    return path;
}

/* The config.json that the versions of a model share: in the folder above "MODEL/1". The last name
 * is cut off as text, for ".." would lead behind a symbolic link to the version. NULL: no memory.
 */
static char *shared_config(struct eng_arena *arena, const char *folder)
{
    size_t n = strlen(folder);
    while (n > 1 && folder[n - 1] == '/')
        n--;
    char *path = eng_arena_string(arena, folder, n);
    if (!path) return NULL;
    char *slash = strrchr(path, '/'), *last = slash ? slash + 1 : path;
    if (strcmp(last, ".") == 0 || strcmp(last, "..") == 0 || *last == '\0')
        return join(arena, path, "../config.json");
    if (!slash) return join(arena, ".", "config.json");
    *slash = '\0';
    return join(arena, path, "config.json");
}

static enum eng_status open_path(const char *path, const struct eng_model_options *options,
                                 struct eng_arena *names, struct eng_model **out,
                                 struct eng_error *err)
{
    const char *file_path = path;
    struct eng_model_options found = *options;
    if (eng_file_is_dir(path)) {
        file_path = join(names, path, "model.onnx");
        char *shared = shared_config(names, path);
        char *own = join(names, path, "config.json");
        if (!file_path || !shared || !own) return eng_fail_memory(err, "a path");
        bool is_said = found.config_path || found.config_text;
        if (!is_said && eng_file_exists(own))
            found.config_path = own;
        else if (!is_said && eng_file_exists(shared))
            found.config_path = shared;
    }
    struct eng_open_file file;
    enum eng_status status = eng_file_open(file_path, MAX_FILE_BYTES, &file, err);
    if (status != ENG_OK) return status;
    status = open_source(&(struct source){.file = &file}, &found, out, err);
    if (status != ENG_OK && status != ENG_IO) eng_error_context(err, "%s", file_path);
    eng_open_file_close(&file);
    return status;
}

enum eng_status eng_model_open(const char *path, const struct eng_model_options *options,
                               struct eng_model **out, struct eng_error *err)
{
    static const struct eng_model_options defaults = {0};
    struct eng_arena names;
    eng_arena_init(&names);
    enum eng_status status = open_path(path, options ? options : &defaults, &names, out, err);
    eng_arena_fini(&names);
    return status;
}

void eng_model_destroy(struct eng_model *model)
{
    if (!model) return;
    if (model->file.path) eng_open_file_close(&model->file);
    eng_graph_fini(&model->turned);
    eng_graph_fini(&model->graph);
    eng_arena_fini(&model->arena);
    free(model);
}

const struct eng_card *eng_model_card(const struct eng_model *model)
{
    return &model->source.card;
}

const char *eng_model_digest(const struct eng_model *model)
{
    return model->digest;
}

enum eng_precision eng_model_wanted_precision(const struct eng_model *model)
{
    return model->wanted_precision;
}

enum eng_precision eng_model_precision(const struct eng_model *model)
{
    return model->precision;
}

int eng_model_max_batch(const struct eng_model *model)
{
    return model->max_batch;
}

bool eng_model_runs_one_by_one(const struct eng_model *model)
{
    return model->n_plans < model->max_batch;
}

size_t eng_model_n_inputs(const struct eng_model *model)
{
    return model->graph.n_inputs;
}

size_t eng_model_n_outputs(const struct eng_model *model)
{
    return model->graph.n_outputs;
}

static struct eng_tensor describe(const struct eng_model *model, int value, const char **name)
{
    struct eng_tensor tensor = model->symbolic[value];
    tensor.data = NULL;
    *name = model->graph.values[value].name;
    return tensor;
}

struct eng_tensor eng_model_input(const struct eng_model *model, size_t i, const char **name)
{
    return describe(model, model->graph.inputs[i], name);
}

struct eng_tensor eng_model_output(const struct eng_model *model, size_t i, const char **name)
{
    return describe(model, model->graph.outputs[i], name);
}
