# SPDX-License-Identifier: PostgreSQL
# Queries a second against recall, a line for each subject of a CSV of bench/run. Variables: csv, png, name.
set terminal pngcairo size 1000,700 noenhanced font ",12"
set output png
set datafile separator ","
set title name.": 1 client, up and right is better"
set xlabel "recall@10 (scaled by the logit)"
set ylabel "queries a second"
set logscale y
set grid
set rmargin 6
set key bottom left
logit(p) = log((p < 0.99995 ? p : 0.99995) / (1 - (p < 0.99995 ? p : 0.99995)))
set xtics rotate by -45 ("0.8" logit(0.8), "0.9" logit(0.9), "0.95" logit(0.95), "0.98" logit(0.98), "0.99" logit(0.99), \
	"0.995" logit(0.995), "0.999" logit(0.999), "0.9999" logit(0.9999))
subjects = system("tail -n +2 '".csv."' | cut -d, -f2 | awk '!seen[$0]++'")
plot for [s in subjects] csv using (strcol(2) eq s ? logit($6) : 1/0):7 skip 1 with linespoints lw 2 pt 7 title s
