/* Numbers as JSON writes them (RFC 8259, 6). */
#ifndef SRV_BASE_JSON_NUMBER_H
#define SRV_BASE_JSON_NUMBER_H

/*
 * Purpose: reads the number at text: strtod's value, infinite if it is too large. The text ends
 * with a zero byte, wherever the number does.
 * Returns where it ends; NULL if JSON has no such number.
 */
const char *srv_json_scan_double(const char *text, double *out);

/*
 * Purpose: the same as a float: strtod's value rounded once more.
 * Cost: some 10 ns where the double that is easily had cannot round to another float.
 */
const char *srv_json_scan_float(const char *text, float *out);

#endif
