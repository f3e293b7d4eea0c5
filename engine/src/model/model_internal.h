/* What a model holds: for this folder, the trainer and the tools. Nothing changes after loading. */
#ifndef ENG_MODEL_MODEL_INTERNAL_H
#define ENG_MODEL_MODEL_INTERNAL_H

#include "base/arena.h"
#include "base/digest.h"
#include "engine/model.h"
#include "graph/graph.h"
#include "graph/plan.h"
#include "model/card.h"

/* What opening a model consists of, one after the other. */
enum eng_load_step {
    ENG_LOAD_READ,
    ENG_LOAD_GRAPH,
    ENG_LOAD_BATCH,
    ENG_LOAD_PACK,
    ENG_LOAD_PLAN,
    ENG_LOAD_CARD,
    ENG_LOAD_DIGEST,
    ENG_N_LOAD_STEPS
};

struct eng_model {
    struct eng_arena arena; /* strings and arrays of the card, tables of the plans */
    struct eng_graph graph; /* optimised */
    bool lacks_weights; /* constants of graph that turned does not read have no data (whole.h) */
    struct eng_open_file file;     /* if lacks_weights: where they can be read again */
    bool follows_batch;            /* graph has constants that follow it (graph/batch.h) */
    size_t n_imported_nodes;       /* of the file, with those of functions and branches */
    struct eng_graph turned;       /* what inference runs (graph/inference.h) */
    struct eng_card_source source; /* completed: labels, preprocess and softmax are decided */
    char digest[ENG_DIGEST_CHARS];
    bool override_batch; /* the file declares batch 1, and any other works too */
    bool samples_apart;  /* no node can mix samples: told from the graph, not tried */
    int max_batch;
    int n_plans;                 /* max_batch, or 1: then sessions run samples one by one */
    const char *why_one_by_one;  /* a sentence; NULL if samples run together */
    struct eng_plan **plans;     /* [n_plans], for batches of 1 .. n_plans: of turned */
    struct eng_tensor *symbolic; /* [n_values] shapes with -1 for the batch; turned's too */
    enum eng_precision wanted_precision; /* what was asked for */
    enum eng_precision precision;        /* what products compute with */
    size_t arena_bytes;          /* the largest plan's */
    bool has_apart;              /* a plan runs nodes sample by sample */
    size_t sample_count;         /* floats of one prepared picture or vector; 0: it takes neither */
    int answer;                  /* the output that holds classes' scores or a predicted number */
    size_t n_answers;            /* of one sample */
    double load_s[ENG_N_LOAD_STEPS]; /* how long each took */
    double lap_s;                    /* when the last one ended */
};

/*
 * Purpose: sets override_batch, max_batch, n_plans and symbolic: whether the graph computes
 * `wanted` samples together, each as it does alone. Decided by inferring shapes at several batch
 *          sizes, by looking at how operators keep samples apart, and, where that does not tell, by
 *          running two random samples alone and together. Very large graphs take fewer than wanted.
 * Errors: those of eng_shape_infer at the batch that the file declares; NO_MEMORY.
 */
enum eng_status eng_model_find_batch(struct eng_model *model, int wanted, struct eng_error *err);

/*
 * Purpose: gives the input the height, width, channels or features that the file leaves open and
 * the card or config says. Before shapes are inferred. Errors: UNSUPPORTED naming the input, its
 * shape and the key to set.
 */
enum eng_status eng_model_settle_input(struct eng_model *model, struct eng_error *err);

struct onnx_model;

/* Purpose: graph, of the model's arrays, from what was read of the file; its card is there. */
enum eng_status eng_model_import(struct eng_model *model, struct onnx_model *onnx,
                                 struct eng_error *err);

/* Purpose: the same for a graph that is not complete yet: only what card or config says. */
void eng_model_take_said_size(struct eng_model *model);

/* Purpose: decides what the file and config left open, and checks that what they say fits the
 * graph. */
enum eng_status eng_model_complete_card(struct eng_model *model, struct eng_error *err);

/*
 * Purpose: n numbers into elements first .. first + n - 1 of an input of float, double or uint8:
 * bytes take the nearest whole number, what is not a number becomes 0.
 */
void eng_model_put_samples(const struct eng_tensor *input, size_t first, const float *from,
                           size_t n);

struct eng_session;
struct eng_exec;

/* Purpose: what runs a session's graph, for tools that look inside. Borrowed. */
struct eng_exec *eng_session_exec(struct eng_session *session);

/* Purpose: elements first .. first + n - 1 of an output of float or double. */
void eng_model_get_answers(const struct eng_tensor *output, size_t first, float *to, size_t n);

#endif
