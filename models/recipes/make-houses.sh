#!/bin/sh
# Prints houses.csv: made-up houses whose price is a line through their features, plus noise. The generator
# is Park and Miller's (1988), so that every awk prints the same file.
# usage: make-houses.sh > houses.csv
exec awk '
function uniform(low, high) { state = state * 16807 % 2147483647; return low + (high - low) * state / 2147483647 }
function normal(   i, sum) { for (i = 0; i < 12; i++) sum += uniform(0, 1); return sum - 6 }
BEGIN {
    state = 20
    print "area_m2,rooms,age_years,price_100k"
    for (i = 0; i < 200; i++) {
        area = int(uniform(30, 200)); rooms = 1 + int(area / 35 + uniform(0, 2)); age = int(uniform(0, 80))
        printf "%d,%d,%d,%.3f\n", area, rooms, age, 0.4 + 0.032 * area + 0.12 * rooms - 0.009 * age + 0.25 * normal()
    }
}'
