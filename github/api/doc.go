// Package api speaks to GitHub's REST API, that of github.com or of GitHub
// Enterprise (spec/github.md, section 6). A Client is the github.API and the
// github.HookAPI of the bridge.
//
// # Limits
//
// A call never waits for a rate limit, since that may take an hour, in which
// the caller has other things to do. When GitHub says that a limit is reached,
// calls fail with a temporary github.APIError whose RetryAt is when GitHub
// allows the next one; until then calls fail likewise, without a request
// (GH-167). What can be read of a list until then is in the partial results.
//
// # Retries
//
// A request that fails for another temporary reason is repeated up to three
// times, after 1, 2 and 4 seconds or a little more (GH-170). Requests that create
// a reference or a webhook are repeated only after a look whether the first one
// did its work. Few requests wait for that at once: when GitHub is down, the
// others fail at once, so that they do not hold up what else the caller does.
//
// # Conditional requests
//
// What is read is kept, within a bound on its bytes, with GitHub's ETag for it.
// When it is read again, GitHub says in an answer that costs nothing of the
// limit that it is unchanged (GH-168). What is kept is the few fields that the
// model needs, encoded anew: GitHub's own answers are some 20 times as large,
// and a cache of them, such as the transports do that know nothing of their
// content, would hold a twentieth of the answers in the same memory. That, and
// that limits must not block, is why neither an HTTP cache nor a transport that
// waits for limits is used.
package api
