/*
 * Colors are chosen in Oklab, where equal distances look equal: lightness L, chroma C, hue h.
 * Source: B. Ottosson, "A perceptual colour space for image processing" (2020); IEC 61966-2-1
 * (sRGB).
 */
#include "explain/colors.h"

#include <math.h>

static double clamp(double x)
{
    return x > 0 ? (x < 1 ? x : 1) : 0;
}

static uint8_t to_srgb(double linear)
{
    double x = clamp(linear);
    double y = x <= 0.0031308 ? 12.92 * x : 1.055 * pow(x, 1 / 2.4) - 0.055;
    return (uint8_t)lround(255 * y);
}

static double cube(double x)
{
    return x * x * x;
}

/* What sRGB cannot show is clipped. */
static struct eng_explain_color from_oklch(double lightness, double chroma, double hue_degrees)
{
    double hue = hue_degrees * (3.14159265358979323846 / 180);
    double a = chroma * cos(hue), b = chroma * sin(hue);
    double l = cube(lightness + 0.3963377774 * a + 0.2158037573 * b);
    double m = cube(lightness - 0.1055613458 * a - 0.0638541728 * b);
    double s = cube(lightness - 0.0894841775 * a - 1.2914855480 * b);
    return (struct eng_explain_color){
        {to_srgb(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s),
         to_srgb(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
         to_srgb(-0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s)}};
}

struct eng_explain_color eng_explain_rising_color(double share)
{
    double t = clamp(share);
    return from_oklch(0.32 + 0.63 * t, 0.17, 270 + 195 * t);
}

struct eng_explain_color eng_explain_sign_color(double value)
{
    return value > 0 ? from_oklch(0.62, 0.22, 27) : from_oklch(0.62, 0.19, 260);
}

/* Okabe and Ito's colours, which colour-blind people tell apart. */
static const struct eng_explain_color class_colors[] = {
    {{0, 114, 178}},  {{230, 159, 0}}, {{0, 158, 115}},  {{204, 121, 167}},
    {{86, 180, 233}}, {{213, 94, 0}},  {{240, 228, 66}}, {{110, 110, 110}},
};
enum { N_CLASS_COLORS = sizeof class_colors / sizeof class_colors[0] };

struct eng_explain_color eng_explain_class_color(size_t class_index)
{
    struct eng_explain_color color = class_colors[class_index % N_CLASS_COLORS];
    double paler = (double)(class_index / N_CLASS_COLORS % 4) / 5;
    for (int c = 0; c < 3; c++)
        color.rgb[c] = (uint8_t)lround(color.rgb[c] + (255 - color.rgb[c]) * paler);
    return color;
}
