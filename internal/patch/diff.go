package patch

// A span is a part in which two texts differ: lines A0 to A1 of the one stand
// where lines B0 to B1 of the other do. One of them may be empty.
type span struct{ a0, a1, b0, b1 int }

// maxEdits bounds the search for the shortest way from one text to the other,
// as its cost is the square of that. Texts, or parts of them, that are further
// apart are taken to have nothing in common.
const maxEdits = 2048

// diff returns where a and b differ, by the algorithm of Myers ("An O(ND)
// difference algorithm and its variations", 1986) in linear space.
func diff(a, b []string) []span {
	ids := make(map[string]int)
	d := &differ{a: identify(ids, a), b: identify(ids, b)}
	d.compare(0, len(a), 0, len(b))
	return d.spans
}

// identify gives equal lines equal numbers.
func identify(ids map[string]int, lines []string) []int {
	out := make([]int, len(lines))
	for i, line := range lines {
		id, ok := ids[line]
		if !ok {
			id = len(ids)
			ids[line] = id
		}
		out[i] = id
	}
	return out
}

type differ struct {
	a, b  []int
	spans []span
}

// compare adds the differences of two parts to d.spans.
func (d *differ) compare(a0, a1, b0, b1 int) {
	for a0 < a1 && b0 < b1 && d.a[a0] == d.b[b0] {
		a0, b0 = a0+1, b0+1
	}
	for a0 < a1 && b0 < b1 && d.a[a1-1] == d.b[b1-1] {
		a1, b1 = a1-1, b1-1
	}
	if a0 == a1 && b0 == b1 {
		return
	}
	if a0 < a1 && b0 < b1 {
		if x, y, ok := middle(d.a[a0:a1], d.b[b0:b1]); ok {
			d.compare(a0, a0+x, b0, b0+y)
			d.compare(a0+x, a1, b0+y, b1)
			return
		}
	}
	d.add(span{a0, a1, b0, b1})
}

// add adds a span, which it joins with the last if nothing is between them.
func (d *differ) add(s span) {
	if n := len(d.spans); n > 0 && d.spans[n-1].a1 == s.a0 && d.spans[n-1].b1 == s.b0 {
		d.spans[n-1].a1, d.spans[n-1].b1 = s.a1, s.b1
		return
	}
	d.spans = append(d.spans, s)
}

// middle returns a point on a shortest way from the beginnings of a and b to
// their ends, which is neither, by going from both sides until the ways meet.
// Neither may be empty, and they must differ in their first and last lines. It
// is not ok if the way is too long.
func middle(a, b []int) (x, y int, ok bool) {
	n, m := len(a), len(b)
	most := min((n+m+1)/2, maxEdits)
	from := newFrontier(n, m, most, func(x, y int) bool { return a[x] == b[y] })
	back := newFrontier(n, m, most, func(x, y int) bool { return a[n-1-x] == b[m-1-y] })
	for edits := 0; edits <= most; edits++ {
		for k := -edits; k <= edits; k += 2 {
			x := from.extend(k, edits)
			if x >= 0 && x+back.reached(n-m-k) >= n {
				return x, x - k, true
			}
		}
		for k := -edits; k <= edits; k += 2 {
			x := back.extend(k, edits)
			if x >= 0 && x+from.reached(n-m-k) >= n {
				return n - x, m - (x - k), true
			}
		}
	}
	return 0, 0, false
}

// A frontier is how far one gets with a number of edits: on each diagonal k of
// the grid of n by m lines, where x-y = k, the greatest x.
type frontier struct {
	n, m   int
	equal  func(x, y int) bool
	offset int
	xs     []int
}

// nowhere is the x of a diagonal that cannot be reached.
const nowhere = -1 << 40

func newFrontier(n, m, most int, equal func(x, y int) bool) *frontier {
	f := &frontier{n, m, equal, most + 1, make([]int, 2*most+3)}
	for i := range f.xs {
		f.xs[i] = nowhere
	}
	return f
}

// reached returns the x of a diagonal.
func (f *frontier) reached(k int) int {
	if i := k + f.offset; i >= 0 && i < len(f.xs) {
		return f.xs[i]
	}
	return nowhere
}

// extend goes one edit further to diagonal k, and then on as long as lines are
// equal. It returns where it got to, or something negative.
func (f *frontier) extend(k, edits int) int {
	x := nowhere
	if down := f.reached(k + 1); down-k <= f.m {
		x = down
	}
	if right := f.reached(k-1) + 1; right <= f.n {
		x = max(x, right)
	}
	if edits == 0 {
		x = 0
	}
	for x >= 0 && x < f.n && x-k < f.m && f.equal(x, x-k) {
		x++
	}
	f.xs[k+f.offset] = x
	return x
}
