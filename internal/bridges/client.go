package bridges

import (
	"github.com/datakit/datakit/github/api"
	"github.com/datakit/datakit/internal/logs"
)

// client returns the client, with its token, before any call is made.
func (b *GitHub) client() (*api.Client, error) {
	cfg := api.Config{
		BaseURL: b.APIURL,
		Version: b.Version,
		Jobs:    b.Jobs,
		Log:     b.log(logs.GitHub),
		Observe: b.called,
	}
	if b.App != (App{}) {
		key, err := api.ReadKey(b.App.KeyFile)
		if err != nil {
			return nil, err
		}
		cfg.App = &api.App{ID: b.App.ID, Installation: b.App.Installation, Key: key}
		return api.New(cfg)
	}
	search := b.Token
	search.APIURL = b.APIURL // where tokens are made, for GitHub Enterprise
	t, source, err := search.Find()
	if err != nil {
		return nil, err
	}
	if log := b.log(logs.GitHub); b.Token.File != "" && source != b.Token.File {
		log.Warn("the file that was named for the token does not exist: the token is from "+source, "file", b.Token.File)
	} else {
		log.Info("the token is from " + source)
	}
	cfg.Token, b.tokenFrom = t, source
	return api.New(cfg)
}

// called counts a request.
func (b *GitHub) called(o api.Observation) {
	b.Metrics.Called(o.Op, string(o.Result))
	if o.Remaining >= 0 {
		b.Metrics.Remaining(o.Remaining)
	}
}
