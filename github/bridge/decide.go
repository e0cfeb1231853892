package bridge

// A perm is what the capabilities allow for an element. If it is exclusive it
// reads and writes too (GH-149).
type perm struct{ read, write, exclusive bool }

// A choice is what is to become of an element.
type choice uint8

const (
	untouched  choice = iota // both sides stay, and nothing is agreed
	agreed                   // both sides stay, and the value of the branch is agreed
	takeGitHub               // the branch becomes what GitHub says, and that is agreed
	sendBranch               // GitHub becomes what the branch says, and that is agreed once it is sent
)

// decide says who wins an element (GH-118). first tells that the repository is
// being imported, bIsA and bIsG whether the value of the branch is the one last
// agreed upon and the one of GitHub; two absent values are the same. bIsG is
// false where GitHub's value is not known.
func decide(p perm, first, bIsA, bIsG bool) choice {
	switch {
	case p.exclusive:
		return sendUnless(bIsG)
	case p.read && p.write:
		if first || bIsA {
			return takeGitHub
		}
		return sendUnless(bIsG)
	case p.read:
		return takeGitHub
	case p.write:
		return sendUnless(first || bIsA || bIsG)
	}
	return untouched
}

func sendUnless(same bool) choice {
	if same {
		return agreed
	}
	return sendBranch
}

// A verdict is what is to become of a reference or a status.
type verdict[E any] struct {
	t    *E   // what the branch must say; nil for nothing
	send bool // GitHub is to be told what the branch says

	// a is what is agreed upon while send has not succeeded, and sent what is
	// when it has. Without anything to send they are the same.
	a, sent *E

	// forget says that the branch has removed it, which GitHub cannot do, so
	// that GitHub's value no longer counts (GH-126).
	forget bool
}

// decideValue says who wins an element that is sent as a whole. removable
// tells that GitHub can remove one of its kind.
func decideValue[E any](p perm, first, removable bool, v sided[E], equal func(E, E) bool) verdict[E] {
	same := func(x, y *E) bool { return x == y || x != nil && y != nil && equal(*x, *y) }
	switch decide(p, first, same(v.b, v.a), p.read && same(v.b, v.g)) {
	case agreed:
		return verdict[E]{t: v.b, a: v.b, sent: v.b}
	case takeGitHub:
		return verdict[E]{t: v.g, a: v.g, sent: v.g}
	case sendBranch:
		if v.b == nil && !removable {
			return verdict[E]{forget: true}
		}
		return verdict[E]{t: v.b, send: true, a: v.a, sent: v.b}
	}
	return verdict[E]{t: v.b, a: v.a, sent: v.a}
}
