/* Explanations: which parts of a picture a class's score depends on. docs/explain.md has the
 * formulas and what each method shows and does not show. */
#ifndef ENGINE_EXPLAIN_H
#define ENGINE_EXPLAIN_H

#include "engine/image.h"
#include "engine/model.h"
#include "engine/pool.h"
#include "engine/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Rows: name, what users call it, what it shows. */
#define ENG_EXPLAIN_METHOD_MAP(ROW)                                                              \
    ROW(AUTO, "auto",                                                                            \
        "gradcam for a network with convolutions, integrated-gradients for another with "        \
        "gradients, neighbours for a nearest-neighbour model, else occlusion")                   \
    ROW(GRADCAM, "gradcam", "where the last convolution finds evidence for the class")           \
    ROW(INTEGRATED_GRADIENTS, "integrated-gradients",                                            \
        "what each pixel adds to the score, or takes from it, compared with a baseline picture") \
    ROW(SMOOTHGRAD, "smoothgrad", "how strongly the score answers to a small change of a pixel") \
    ROW(OCCLUSION, "occlusion", "how much the score falls when a patch is covered")              \
    ROW(NEIGHBOURS, "neighbours", "the training pictures that are nearest")

enum eng_explain_method {
#define ROW(name, text, shows) ENG_EXPLAIN_##name,
    ENG_EXPLAIN_METHOD_MAP(ROW)
#undef ROW
        ENG_N_EXPLAIN_METHODS
};

/* Purpose: "gradcam"; what it shows, a phrase. Static strings. Any thread. */
const char *eng_explain_method_name(enum eng_explain_method method);
const char *eng_explain_method_shows(enum eng_explain_method method);

/* Purpose: the method of that name. Errors: ARGUMENT naming all methods. */
enum eng_status eng_explain_method_find(const char *name, enum eng_explain_method *out,
                                        struct eng_error *err);

/*
 * Purpose: whether the method can explain this model. AUTO becomes the method that it stands for;
 * the others stay as they are.
 * Errors: UNSUPPORTED with a sentence why not, naming the node that has no gradient; LIMIT if one
 *         sample would take more memory than an explanation may; MISMATCH, IO as eng_explain;
 *         NO_MEMORY.
 * Threads: any. Cost: plans the graph, some milliseconds; reads a large model's file again.
 */
enum eng_status eng_explain_choose(const struct eng_model *model, enum eng_explain_method method,
                                   enum eng_explain_method *out, struct eng_error *err);

/* What stands for "nothing there": where integrated gradients start, what covers a patch. */
enum eng_explain_baseline {
    ENG_EXPLAIN_ZERO,  /* 0 in every value that the graph gets: the mean colour of the training
                          pictures if the preprocessing subtracts it, black if it does not */
    ENG_EXPLAIN_BLACK, /* this colour, in pixels */
    ENG_EXPLAIN_GRAY,
    ENG_EXPLAIN_WHITE,
    ENG_EXPLAIN_MEAN, /* the mean colour of the picture itself */
};

/* Begin with eng_explain_defaults, change what shall be otherwise. */
struct eng_explain_request {
    enum eng_explain_method method;
    const float *sample; /* one prepared picture, as eng_preprocess_image gives it */
    int64_t class_index; /* whose score is explained; -1: the class with the highest */
    /* Parameters; eng_explain_parameter has their bounds, eng_explain sets them by name. */
    int64_t steps;         /* INTEGRATED_GRADIENTS: points on the path, to begin with */
    int64_t samples;       /* SMOOTHGRAD: noisy copies */
    double noise;          /* SMOOTHGRAD: standard deviation as a share of the sample's range */
    int64_t seed;          /* SMOOTHGRAD: of the noise */
    int64_t patch;         /* OCCLUSION: side of the patch in pixels; 0: a seventh of the picture */
    int64_t stride;        /* OCCLUSION: from patch to patch; 0: half a patch */
    int baseline;          /* enum eng_explain_baseline */
    int64_t neighbours;    /* NEIGHBOURS: how many */
    struct eng_pool *pool; /* NULL: the calling thread alone */
    /*
     * Called from the calling thread between runs of the network: at the beginning, and then at
     * least after every sample or every 5e9 operations (some tenths of a second), whichever is
     * more. done: 0 to 1; it may fall when INTEGRATED_GRADIENTS takes more steps. Returning false
     * ends the explanation with CANCELLED. NULL: none.
     */
    bool (*go_on)(void *ctx, double done);
    void *go_on_ctx;
};

struct eng_explain_request eng_explain_defaults(void);

/* A parameter of struct eng_explain_request, for help texts and documentation. */
struct eng_explain_parameter {
    const char *name;           /* "steps" */
    const char *help;           /* a phrase */
    const char *const *choices; /* NULL-terminated words, NULL: a number */
    bool is_whole;              /* a whole number */
    double standard, min, max;  /* standard: what eng_explain_defaults gives; a choice: its place */
    unsigned methods;           /* bit m: method m reads it */
};

size_t eng_explain_n_parameters(void);
struct eng_explain_parameter eng_explain_parameter(size_t i);

/*
 * Purpose: sets the parameter of that name from text ("64", "0.2", "black"). Set the method first.
 * Errors: ARGUMENT naming the parameter, the value found and the value wanted, for an unknown name
 *         the nearest one, for one that request->method (but AUTO) does not read the method.
 */
enum eng_status eng_explain_set(struct eng_explain_request *request, const char *name,
                                const char *text, struct eng_error *err);

/* A training picture near the one explained. */
struct eng_explain_neighbour {
    size_t index;       /* in the training set that the model holds, from 0 */
    size_t class_index; /* its class */
    double distance;    /* L1, or L2 with its root, as the model measures */
    struct eng_image picture;
};

/* What was found. It owns everything but names; end with eng_explanation_fini. */
struct eng_explanation {
    enum eng_explain_method method; /* never AUTO */
    size_t class_index;             /* whose score is explained */
    double probability;             /* of that class, as the model answers */
    /* The score: what goes into the graph's last Softmax for this class, if it ends in one, else
     * the graph's own answer. */
    double score;
    bool is_logit;          /* the score goes into a softmax, the graph's or one that is added */
    const char *score_name; /* the graph's value that holds it. Borrowed from the model */
    double baseline_score;  /* INTEGRATED_GRADIENTS: of the baseline; else NAN */
    size_t n_runs;          /* samples that the network was run for */

    /* All methods but NEIGHBOURS: [height_px, width_px] as the model sees the picture. */
    uint32_t width_px, height_px;
    float *map;
    bool is_signed; /* values below 0 speak against the class; else none is below 0 */
    double sum;     /* of the map; INTEGRATED_GRADIENTS: close to score - baseline_score */
    /* GRADCAM: the map before it was enlarged, and the value it was taken at. */
    uint32_t layer_width, layer_height;
    const char *layer_name; /* NULL: another method. Borrowed from the model */

    size_t n_neighbours; /* NEIGHBOURS: nearest first */
    struct eng_explain_neighbour *neighbours;
    bool is_l2; /* how the model measures: L2, else L1 */
};

/* NULL and a zeroed struct are accepted. */
void eng_explanation_fini(struct eng_explanation *explanation);

/*
 * Purpose: explains one picture.
 * Ownership: borrows everything in the request for the call; on success the caller ends out with
 *            eng_explanation_fini; untouched on failure.
 * Errors: UNSUPPORTED (the model takes no pictures, or the method does not fit it, see
 *         eng_explain_choose; scores or gradients near this picture are not finite), ARGUMENT
 * (class or a parameter out of range, naming it and the range), LIMIT (an arena above 2 GiB, or
 * more than 65536 runs), CANCELLED, MISMATCH and IO (weights that inference needs only in another
 * form are read from the model's file again, which was changed in place since), NO_MEMORY. All
 * limits are checked before memory is taken. Threads: any; the model is only read. Same request,
 * same answer, whatever the pool. Cost: runs forward (f) and backward (about 2f): GRADCAM f and a
 * part of 2f, INTEGRATED_GRADIENTS 3f x steps, SMOOTHGRAD 3f x samples, OCCLUSION f x positions of
 * the patch; in batches. Source: Selvaraju et al. 2017 (Grad-CAM); Sundararajan et al. 2017
 * (integrated gradients); Smilkov et al. 2017 (SmoothGrad); Zeiler and Fergus 2014 (occlusion).
 */
enum eng_status eng_explain(const struct eng_model *model,
                            const struct eng_explain_request *request, struct eng_explanation *out,
                            struct eng_error *err);

/* How an explanation is drawn. {0} is good. */
struct eng_explain_view {
    const struct eng_image *picture; /* what lies under the map; NULL: the map alone, on black */
    bool is_original; /* picture is the one that was sent, of any size; else the one that the model
                         saw (eng_preprocess_picture) */
    uint32_t scale;   /* pixels of the drawing per pixel of picture, 1 to 64; 0: as few as make
                         both sides at least 224 */
};

/*
 * Purpose: the map in colour over the grey picture: a signed map in red for the class and blue
 *          against it, another one from dark blue over magenta to yellow, as strong as it lies
 * above 0. The strongest hundredth of the map has the full colour. Where an original's margin was
 *          cropped, the picture is darker.
 *          NEIGHBOURS: the picture that the model saw, framed in grey, then its neighbours, nearest
 *          first and row by row, framed in their classes' colours; picture must be given and
 *          is_original false.
 * Ownership: on success the caller ends out (RGB) with eng_image_fini; untouched on failure.
 * Errors: ARGUMENT (a size that does not fit the model's, a scale out of range), LIMIT (a drawing
 *         above 50 megapixels), NO_MEMORY. Threads: any. Cost: linear in the drawing.
 */
enum eng_status eng_explanation_draw(const struct eng_explanation *explanation,
                                     const struct eng_model *model,
                                     const struct eng_explain_view *view, struct eng_image *out,
                                     struct eng_error *err);

#endif
