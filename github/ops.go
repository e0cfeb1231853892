package github

// The names of the logical operations on GitHub, in errors ([APIError].Op), in
// metrics and in the counts of a simulated GitHub. One operation may take
// several requests.
const (
	OpUserExists   = "look for user"
	OpUserRepos    = "list repositories"
	OpRepoExists   = "look for repository"
	OpListPRs      = "list PRs"
	OpReadPR       = "read PR"
	OpReadComments = "read comments"
	OpListRefs     = "list refs"
	OpReadRef      = "read ref"
	OpResolveTag   = "resolve tag"
	OpReadStatuses = "read statuses"
	OpSetPR        = "set PR"
	OpSetRef       = "set ref"
	OpRemoveRef    = "remove ref"
	OpSetStatus    = "set status"
	OpListHooks    = "list hooks"
	OpCreateHook   = "create hook"
	OpUpdateHook   = "update hook"
	OpDeleteHook   = "delete hook"
	OpPingHook     = "ping hook"
	OpCheckToken   = "check token"
	OpMakeToken    = "make token"
)
