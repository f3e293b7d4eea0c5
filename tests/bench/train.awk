# Lines "network who samples/s" and "network who peak MiB" -> a table of medians and the ratio.
{
    if (!($1 in seen)) { seen[$1]; networks[++n_networks] = $1 }
    if ($3 == "peak") peak[$1, $2] = $4 > peak[$1, $2] ? $4 : peak[$1, $2]
    else rate[$1, $2, ++n[$1, $2]] = $3
}

function median(network, who,    i, j, t, a) {
    for (i = 1; i <= n[network, who]; i++) {
        t = rate[network, who, i]
        for (j = i - 1; j > 0 && a[j] > t; j--) a[j + 1] = a[j]
        a[j + 1] = t
    }
    return a[int((i) / 2)]
}

END {
    printf "%-10s %18s %18s %7s %14s %14s\n", "network", "classify samples/s", "PyTorch samples/s", "ratio",
        "classify MiB", "PyTorch MiB"
    for (i = 1; i <= n_networks; i++) {
        k = networks[i]
        printf "%-10s %18.0f %18.0f %7.2f %14.0f %14.0f\n", k, median(k, "classify"), median(k, "torch"),
            median(k, "classify") / median(k, "torch"), peak[k, "classify"], peak[k, "torch"]
    }
}
