# SPDX-License-Identifier: PostgreSQL
# Queries a second of two clients against recall: a panel for each CSV of bench/run, a line for each subject.
# Variables: csvs (paths, with spaces between), png.
set output png
set datafile separator ","
count = words(csvs)
if (count > 1) {
	set terminal pngcairo size 1500,1150 noenhanced font "DejaVu Sans,13" background "white"
	set multiplot layout (count + 1) / 2, 2 title "Queries a second of 2 clients (up is better) at a recall@10 (right is better)" font "DejaVu Sans,16"
} else {
	set terminal pngcairo size 1100,720 noenhanced font "DejaVu Sans,13" background "white"
}
set xlabel "recall@10, scaled by the logit"
set ylabel "queries a second, 2 clients"
set logscale y
set grid xtics ytics mytics lc rgb "#c0c0c0", lc rgb "#e6e6e6"
set mytics 10
set format y "%.0f"
set lmargin 11
set rmargin 4
set key below center horizontal maxrows 1 samplen 1.5 Left reverse width 0
at_most(p) = p < 0.9997 ? p : 0.9997
logit(p) = log(at_most(p) / (1 - at_most(p)))
set xtics ("0.5" logit(0.5), "0.7" logit(0.7), "0.8" logit(0.8), "0.9" logit(0.9), "0.95" logit(0.95), "0.98" logit(0.98), "0.99" logit(0.99), \
	"0.995" logit(0.995), "0.998" logit(0.998), "0.999" logit(0.999))
colour(s) = s eq "vecdb" || s eq "vecdb_ivf" ? 0xc4361d : s eq "pgvector" || s eq "pgvector_ivf" ? 0x1f5fa8 : \
	s eq "(hnswlib)" || s eq "(faiss)" ? 0x2e8b57 : s eq "vecdb_compact" || s eq "vecdb_ivf_heap" ? 0xe69f00 : \
	s eq "pgvector_ivf_advised" ? 0x8fb3dd : 0x777777
title_of(s) = s eq "(hnswlib)" ? "hnswlib" : s eq "(faiss)" ? "faiss" : s eq "vecdb_compact" ? "vecdb compact" : s eq "vecdb_ivf" ? "ivf" : \
	s eq "vecdb_ivf_heap" ? "ivf, rerank = heap" : s eq "pgvector_ivf" ? "ivfflat, best lists" : \
	s eq "pgvector_ivf_advised" ? "ivfflat, rows/1000" : s
do for [csv in csvs] {
	set title system("sed -n 2p '".csv."' | cut -d, -f1")
	subjects = system("tail -n +2 '".csv."' | cut -d, -f2 | awk '!seen[$0]++'")
	plot for [s in subjects] csv using (strcol(2) eq s && $7 > 0 ? logit($8) : 1/0):10 skip 1 with linespoints lw 2.5 pt 7 ps 1.1 lc rgb colour(s) title title_of(s)
}
if (count > 1) { unset multiplot }
