/* A loaded model: immutable, shared by all threads, reference counted by its owner only. */
#ifndef ENGINE_MODEL_H
#define ENGINE_MODEL_H

#include "engine/preprocess.h"
#include "engine/status.h"
#include "engine/tensor.h"
#include "engine/tuning.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct eng_model;

/* What was not said by the file or its config and had to be guessed (bits of eng_card.guessed). */
enum eng_guess {
    ENG_GUESS_LABELS = 1,     /* labels are the class indices */
    ENG_GUESS_PREPROCESS = 2, /* what the values are; mostly pixels of 0 to 1 */
    ENG_GUESS_SOFTMAX = 4,    /* softmax added because the graph does not end in one */
};

/* What a card says of pictures, item by item. Rows: name, what it is called. */
#define ENG_CARD_ITEM_MAP(ROW)    \
    ROW(LABELS, "labels")         \
    ROW(COLOR, "color")           \
    ROW(LAYOUT, "layout")         \
    ROW(SIZE, "size")             \
    ROW(RESIZE, "resize")         \
    ROW(FILTER, "filter")         \
    ROW(BACKGROUND, "background") \
    ROW(VALUES, "values")         \
    ROW(OUTPUT, "output")         \
    ROW(SOFTMAX, "softmax")       \
    ROW(TOP, "top")

enum eng_card_item {
#define ROW(name, text) ENG_CARD_##name,
    ENG_CARD_ITEM_MAP(ROW)
#undef ROW
        ENG_N_CARD_ITEMS
};

/* Where an item comes from. */
enum eng_origin {
    ENG_ORIGIN_DEFAULT, /* nobody said anything: what always holds then */
    ENG_ORIGIN_FILE,    /* the model file: its metadata or its graph */
    ENG_ORIGIN_CONFIG,  /* config.json, or options of the call */
    ENG_ORIGIN_GUESSED, /* likely, but it may be wrong */
};

/* Purpose: "labels"; "default", "file", "config", "guessed". Static strings. Any thread. */
const char *eng_card_item_name(enum eng_card_item item);
const char *eng_origin_name(enum eng_origin origin);

/* What config.json asks of whoever runs the model for many: pictures of several requests in one
 * batch. */
struct eng_batching {
    int64_t max_batch;        /* the largest batch; 0: not said. The model's own plans keep to it */
    int64_t max_delay_us;     /* how long a batch may wait to fill; -1: not said */
    int64_t max_queue;        /* pictures that may wait; 0: not said */
    int64_t default_priority; /* 1 (goes first) to 10; 0: not said */
};

/* What a model says of itself: metadata_props and config.json. Borrowed from the model. */
struct eng_card {
    const char *name;          /* ModelProto.graph.name, "" if none */
    const char *producer;      /* "classifyd 0.1.0", "pytorch 1.13" ..., "" if none */
    const char *description;   /* "" if none */
    size_t n_classes;          /* 0: unknown, or a number is predicted */
    const char *const *labels; /* [n_classes] */
    struct eng_preprocess preprocess;
    size_t
        n_features; /* the model takes vectors of so many numbers; 0: pictures or other tensors */
    const char *const *features; /* [n_features] what they are called */
    bool takes_images; /* one input of floats or bytes, 1 or 3 channels: pictures can be classified
                        */
    const char *no_pictures; /* a sentence: why takes_images is false; NULL if it is true, or for
                                features */
    const char *output;      /* the graph output that holds the answers */
    bool add_softmax;        /* that output holds scores, not probabilities */
    bool independent;        /* each class has a probability of its own: they need not sum to 1 */
    size_t top;              /* classes to show when nobody says how many; 0: the caller's choice */
    unsigned guessed;        /* bits of enum eng_guess */
    enum eng_origin origin[ENG_N_CARD_ITEMS];
    struct eng_batching batching;
    size_t n_golden;     /* recorded samples */
    const char *history; /* JSON of the training history, NULL if none */
    const char *recipe;  /* JSON of the recipe that it was trained from, NULL if none */
};

/*
 * Purpose: the class that people name by its number or by its label. A whole number below
 * n_classes is a number; anything else a label, whole ("tench, Tinca tinca") or one of the names
 * that its commas part ("tench").
 * Errors: ARGUMENT naming the text, the range and the nearest label, or the classes that share it.
 * Threads: any. Cost: linear in the labels.
 */
enum eng_status eng_card_find_class(const struct eng_card *card, const char *text, size_t *out,
                                    struct eng_error *err);

struct eng_model_options {
    const char *config_path; /* config.json that completes or overrides metadata; NULL = none */
    const char *config_text; /* the text of one, in its place; it has no folder, so no labels_file */
    const char *preset;      /* preprocessing by name, as config.json's preset; NULL = none */
    const char *labels_path; /* a labels file, as config.json's labels_file; NULL = none */
    int max_batch;           /* the largest batch that sessions may run, if config.json's "batching"
                                does not say; 0 = 32 */
    /* How to choose among ways of computing if config.json's "engine" does not say; and where
     * measurements are kept, NULL: nowhere. */
    enum eng_precision precision;
    enum eng_tuning tuning;
    struct eng_tuning_cache *tuning_cache;
};

/*
 * Purpose: opens an .onnx file, or the model.onnx of a version folder (then its config.json, or
 * else the one above that folder, is read if it exists and options name none): read, check, infer
 * shapes, fold, fuse, plan. Ownership: the caller ends it with eng_model_destroy, after its last
 * session. A file of large weights stays open, for eng_explain to read again what inference needs
 * in another form only. Errors: NOT_FOUND, IO (also a file that is written to meanwhile), FORMAT,
 * UNSUPPORTED, LIMIT, NO_MEMORY; the sentence names node, operator and reason. Threads: any; the
 * model may then be used by all; a second one computes the digest meanwhile. Cost: memory for 1.5
 * times the weights; resnet50 takes a tenth of a second. Source: onnx.proto, IR version 3 to 10,
 * opsets 7 to 21.
 */
enum eng_status eng_model_open(const char *path, const struct eng_model_options *options,
                               struct eng_model **out, struct eng_error *err);

/* Purpose: the same from bytes in memory, which may go afterwards. */
enum eng_status eng_model_open_bytes(const void *bytes, size_t n_bytes,
                                     const struct eng_model_options *options,
                                     struct eng_model **out, struct eng_error *err);

/* Purpose: frees the model. NULL is accepted. No session may be left. */
void eng_model_destroy(struct eng_model *model);

const struct eng_card *eng_model_card(const struct eng_model *model);

/* Purpose: SHA-256 of the file's bytes, 64 lower-case hex digits. Borrowed. */
const char *eng_model_digest(const struct eng_model *model);

/* Purpose: the largest batch that a session takes: options.max_batch, at most 32 if it runs the
 * samples one by one, and fewer for graphs of more than some ten thousand nodes. */
int eng_model_max_batch(const struct eng_model *model);

/* Purpose: true if the graph insists on the one sample that it was exported for, or mixes samples:
 * a session then runs a batch's samples one after the other, and batches save no time. */
bool eng_model_runs_one_by_one(const struct eng_model *model);

/* Purpose: what is asked of the model, and what it computes with: float32 in any case on a CPU that
 * lacks instructions for more, or at a cpu level without. */
enum eng_precision eng_model_wanted_precision(const struct eng_model *model);
enum eng_precision eng_model_precision(const struct eng_model *model);

size_t eng_model_n_inputs(const struct eng_model *model);
size_t eng_model_n_outputs(const struct eng_model *model);

/* Purpose: name, type and shape (batch = -1) of an input or output; data is NULL. Borrowed name. */
struct eng_tensor eng_model_input(const struct eng_model *model, size_t i, const char **name);
struct eng_tensor eng_model_output(const struct eng_model *model, size_t i, const char **name);

#endif
