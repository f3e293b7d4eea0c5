# Lines "server rate p50 p99 failed memory cpu" -> a table of medians, with ratios to nginx and fastapi.
{
    if (!($1 in n)) names[++n_names] = $1
    i = ++n[$1]
    for (k = 2; k <= NF; k++) value[$1, k, i] = $k
    failed[$1] += $5
}

function median(name, k,    i, j, t, a) {
    for (i = 1; i <= n[name]; i++) {
        t = value[name, k, i]
        for (j = i - 1; j > 0 && a[j] > t; j--) a[j + 1] = a[j]
        a[j + 1] = t
    }
    return a[int((n[name] + 1) / 2)]
}

function ratio(rate, other) {
    return other in n ? sprintf("%.2f", rate / median(other, 2)) : "-"
}

END {
    printf "%-20s %10s %9s %9s %8s %8s %9s %10s %7s\n", "server", "requests/s", "p50 ms", "p99 ms",
        "CPU us", "RSS MiB", "of nginx", "of fastapi", "failed"
    for (i = 1; i <= n_names; i++) {
        name = names[i]
        rate = median(name, 2)
        printf "%-20s %10.0f %9.2f %9.2f %8.1f %8.0f %9s %10s %7d\n", name, rate,
            median(name, 3), median(name, 4), median(name, 7), median(name, 6), ratio(rate, "nginx"), ratio(rate, "fastapi"), failed[name]
        bad += failed[name]
    }
    exit bad > 0
}
