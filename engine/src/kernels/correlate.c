#include "kernels/correlate.h"

#include "base/mem.h"
#include "base/share.h"
#include "kernels/clamp.h"
#include "kernels/conv_source.h"
#include "kernels/dispatch.h"

enum {
    BLOCK_ROWS = 64,      /* output channels in one piece of work */
    WAVE_BYTES = 1 << 20, /* images are prepared in waves that stay in the L2 cache */
    MAX_WAVE = 64,
};

/* What a correlation looks like, worked out anew at each run: it takes less than a microsecond. */
struct layout {
    struct eng_conv_source source;
    bool flat; /* results go to scratch with the source's gaps between rows: narrow images */
    size_t n_taps, n_vectors, n_panels;
    size_t n_blocks;                   /* of output channels */
    size_t taps_bytes;                 /* at the start of the scratch */
    size_t source_floats, flat_floats; /* of one image */
    size_t wave;                       /* images prepared at a time */
};

static size_t divide_up(size_t a, size_t b)
{
    return (a + b - 1) / b;
}

static size_t align_floats(size_t n)
{
    return eng_align_up(n * sizeof(float)) / sizeof(float);
}

/* Rows that hardly fill their last register waste it; running on over the gaps may waste less. */
static void choose_vectors(struct layout *l)
{
    const struct eng_conv_source *s = &l->source;
    size_t lanes = (size_t)eng_kernels()->n_lanes;
    size_t wide = s->n_rows * divide_up(s->width, lanes), flat = divide_up(s->span, lanes);
    bool even = s->n_rows > 1 && s->row_step < 2 * s->width && s->n_rows == s->rows_per_slice;
    l->flat = even && flat + flat / 8 < wide;
    l->n_vectors = l->flat ? flat : wide;
    l->n_panels = divide_up(l->n_vectors, ENG_PANEL_VECTORS);
}

static bool make_layout(const struct eng_correlation *c, struct layout *l)
{
    *l = (struct layout){.n_taps = eng_window_volume(c->window.kernel)};
    if (!eng_conv_source_init(&c->window, &l->source)) return false;
    choose_vectors(l);
    l->n_blocks = divide_up(c->out_channels, BLOCK_ROWS);
    size_t floats = 0, channels = c->n_groups * c->in_channels;
    if (l->source.kind != ENG_SOURCE_IMAGE &&
        !eng_mul_size(channels, l->source.channel, &l->source_floats))
        return false;
    if (l->flat &&
        !eng_mul_size(c->n_groups * c->out_channels, align_floats(l->source.span), &l->flat_floats))
        return false;
    if (!eng_add_size(l->source_floats, l->flat_floats, &floats) || floats > SIZE_MAX / 1024)
        return false;
    l->source_floats = align_floats(l->source_floats);
    l->taps_bytes = eng_align_up(l->n_taps * sizeof(ptrdiff_t));
    size_t bytes = (l->source_floats + l->flat_floats) * sizeof(float);
    l->wave = bytes > 0 ? WAVE_BYTES / bytes : MAX_WAVE;
    if (l->wave > MAX_WAVE) l->wave = MAX_WAVE;
    if (l->wave > c->n_images) l->wave = c->n_images;
    if (l->wave == 0) l->wave = 1;
    return true;
}

bool eng_correlate_scratch_bytes(const struct eng_correlation *c, size_t *out)
{
    struct layout l;
    if (!make_layout(c, &l)) return false;
    *out = l.taps_bytes + l.wave * (l.source_floats + l.flat_floats) * sizeof(float);
    return true;
}

/* One run, and the wave of images that it has come to. */
struct run {
    const struct eng_correlation *c;
    struct layout l;
    const float *x, *w, *bias;
    struct eng_activation activation;
    struct eng_clamp clamp;
    float *y;
    const ptrdiff_t *taps;
    float *sources, *flats; /* [wave] */
    size_t first_image;
};

static size_t image_floats(const struct run *r)
{
    return r->c->n_groups * r->c->in_channels * eng_window_volume(r->c->window.in);
}

/* Index: (image of the wave, channel). */
static void fill_sources(void *ctx, size_t begin, size_t end)
{
    const struct run *r = ctx;
    size_t n_channels = r->c->n_groups * r->c->in_channels;
    size_t n_in = eng_window_volume(r->c->window.in);
    for (size_t i = begin; i < end; i++) {
        size_t image = i / n_channels, channel = i % n_channels;
        eng_conv_source_fill(
            &r->l.source, r->x + ((r->first_image + image) * n_channels + channel) * n_in,
            r->sources + image * r->l.source_floats + channel * r->l.source.channel);
    }
}

/* A piece of work: some output channels of one group of one image. */
struct piece {
    size_t image, group, row, n_rows; /* image: in the wave; row: in the group */
    const float *source;              /* the group's first channel */
    float *y;                         /* plane of the first row */
    float *flat;
};

static struct piece piece_at(const struct run *r, size_t i)
{
    const struct eng_correlation *c = r->c;
    struct piece p = {.row = i % r->l.n_blocks * BLOCK_ROWS};
    p.group = i / r->l.n_blocks % c->n_groups;
    p.image = i / r->l.n_blocks / c->n_groups;
    p.n_rows = c->out_channels - p.row < BLOCK_ROWS ? c->out_channels - p.row : BLOCK_ROWS;
    size_t channel = p.group * c->out_channels + p.row, n_out = eng_window_volume(c->window.out);
    p.y = r->y + ((r->first_image + p.image) * c->n_groups * c->out_channels + channel) * n_out;
    if (r->l.flat)
        p.flat = r->flats + p.image * r->l.flat_floats + channel * align_floats(r->l.source.span);
    if (r->l.source.kind == ENG_SOURCE_IMAGE)
        p.source = r->x + (r->first_image + p.image) * image_floats(r) +
                   p.group * c->in_channels * eng_window_volume(c->window.in);
    else
        p.source = r->sources + p.image * r->l.source_floats +
                   p.group * c->in_channels * r->l.source.channel;
    return p;
}

static struct eng_product product_of(const struct run *r, const struct piece *p)
{
    const struct eng_correlation *c = r->c;
    size_t n_out = eng_window_volume(c->window.out);
    const float *bias = r->bias ? r->bias + p->group * c->out_channels + p->row : NULL;
    return (struct eng_product){.n_rows = p->n_rows,
                                .n_channels = c->in_channels,
                                .n_taps = r->l.n_taps,
                                .a = r->w + p->group * c->w_group + p->row * c->w_out,
                                .a_row = c->w_out,
                                .a_channel = c->w_in,
                                .a_tap = 1,
                                .b_channel = r->l.source.channel,
                                .taps = r->taps,
                                .c_row = r->l.flat ? align_floats(r->l.source.span) : n_out,
                                .accumulate = c->accumulate && !r->l.flat,
                                .row_bias = bias,
                                .low = r->clamp.low,
                                .high = r->clamp.high};
}

/* Registers [first, last) of the output pixels. */
static struct eng_panel panel_of(const struct run *r, const struct piece *p, size_t first,
                                 size_t last)
{
    const struct eng_conv_source *s = &r->l.source;
    size_t lanes = (size_t)eng_kernels()->n_lanes;
    size_t per_row = r->l.flat ? r->l.n_vectors : divide_up(s->width, lanes);
    size_t width = r->l.flat ? s->span : s->width;
    struct eng_panel panel = {.n_vectors = (int)(last - first)};
    for (size_t v = first; v < last; v++) {
        size_t j = v - first, row = v / per_row, x = v % per_row * lanes;
        panel.n_lanes[j] = (int)(width - x < lanes ? width - x : lanes);
        panel.b[j] = p->source + eng_conv_source_row(s, row) + x;
        panel.c[j] = (r->l.flat ? p->flat : p->y + row * s->width) + x;
    }
    return panel;
}

/* Activations that the kernel's clamp does not do. */
static void activate(const struct run *r, const struct piece *p, const struct eng_panel *panel)
{
    size_t n_out = eng_window_volume(r->c->window.out);
    for (size_t i = 0; i < p->n_rows; i++)
        for (int j = 0; j < panel->n_vectors; j++) {
            float *y = panel->c[j] + i * n_out;
            eng_activation_forward(r->activation, y, y, (size_t)panel->n_lanes[j]);
        }
}

/* Index: (piece, panel). */
static void run_wide(void *ctx, size_t begin, size_t end)
{
    const struct run *r = ctx;
    size_t n_vectors = r->l.n_vectors, n_panels = r->l.n_panels;
    for (size_t i = begin; i < end;) {
        struct piece p = piece_at(r, i / n_panels);
        struct eng_product product = product_of(r, &p);
        size_t stop = (i / n_panels + 1) * n_panels;
        for (; i < stop && i < end; i++) {
            size_t k = i % n_panels;
            struct eng_panel panel =
                panel_of(r, &p, k * n_vectors / n_panels, (k + 1) * n_vectors / n_panels);
            eng_kernels()->product(&product, &panel);
            if (!r->clamp.is_all) activate(r, &p, &panel);
        }
    }
}

/* From the flat rows, gaps and all, to y. */
static void close_gaps(const struct run *r, const struct piece *p)
{
    const struct eng_conv_source *s = &r->l.source;
    float *y = p->y;
    for (size_t i = 0; i < p->n_rows; i++) {
        const float *flat = p->flat + i * align_floats(s->span);
        for (size_t row = 0; row < s->n_rows; row++, flat += s->row_step)
            for (size_t x = 0; x < s->width; x++, y++)
                *y = r->c->accumulate ? *y + flat[x] : flat[x];
    }
    if (!r->clamp.is_all) eng_activation_forward(r->activation, p->y, p->y, (size_t)(y - p->y));
}

/* Index: piece. */
static void run_flat(void *ctx, size_t begin, size_t end)
{
    const struct run *r = ctx;
    size_t n_vectors = r->l.n_vectors, n_panels = r->l.n_panels;
    for (size_t i = begin; i < end; i++) {
        struct piece p = piece_at(r, i);
        struct eng_product product = product_of(r, &p);
        for (size_t k = 0; k < n_panels; k++) {
            struct eng_panel panel =
                panel_of(r, &p, k * n_vectors / n_panels, (k + 1) * n_vectors / n_panels);
            eng_kernels()->product(&product, &panel);
        }
        close_gaps(r, &p);
    }
}

static void run_wave(struct run *r, size_t n_images, struct eng_pool *pool)
{
    const struct eng_correlation *c = r->c;
    const struct layout *l = &r->l;
    if (l->source.kind != ENG_SOURCE_IMAGE)
        eng_share(pool, n_images * c->n_groups * c->in_channels, 0, 8 * (double)l->source.channel,
                  fill_sources, r);
    size_t n_pieces = n_images * c->n_groups * l->n_blocks;
    size_t rows = c->out_channels < BLOCK_ROWS ? c->out_channels : BLOCK_ROWS;
    size_t work = rows * c->in_channels * l->n_taps * (size_t)eng_kernels()->n_lanes *
                  (l->flat ? l->n_vectors : ENG_PANEL_VECTORS);
    if (!l->flat) n_pieces *= l->n_panels;
    eng_share(pool, n_pieces, 2 * (double)work, 0, l->flat ? run_flat : run_wide, r);
}

void eng_correlate(const struct eng_correlation *c, const float *x, const float *w,
                   const float *bias, struct eng_activation activation, float *y, void *scratch,
                   struct eng_pool *pool)
{
    struct run r = {.c = c,
                    .x = x,
                    .w = w,
                    .bias = bias,
                    .activation = activation,
                    .clamp = eng_clamp_for(activation),
                    .y = y};
    if (!make_layout(c, &r.l)) return; /* cannot be: eng_correlate_scratch_bytes said so */
    ptrdiff_t *taps = scratch;
    eng_conv_source_taps(&r.l.source, c->mirrored, taps);
    r.taps = taps;
    r.sources = (float *)((char *)scratch + r.l.taps_bytes);
    r.flats = r.sources + r.l.wave * r.l.source_floats;
    for (; r.first_image < c->n_images; r.first_image += r.l.wave) {
        size_t left = c->n_images - r.first_image;
        run_wave(&r, left < r.l.wave ? left : r.l.wave, pool);
    }
}
