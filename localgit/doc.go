// Package localgit is the local bridge: it mirrors the branches of Git
// repositories on this machine into the branch of a database that the GitHub
// bridge would fill (spec/github.md, section 8), so that what follows that
// branch can be tried without GitHub.
//
// [Once] mirrors the present state, [Run] follows the repositories until it is
// stopped. Both only ever read the repositories, which may be mounted
// read-only, and own all that is under USER/REPO/ref in the branch; they touch
// nothing else there.
package localgit
