package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"

	"github.com/go-git/go-git/v5/plumbing/format/pktline"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"
	"github.com/go-git/go-git/v5/plumbing/transport"
	"github.com/go-git/go-git/v5/plumbing/transport/http"
)

// openFetch connects to a repository to fetch from it. ctx must last as long as
// the session; when it is done all of the session fails.
func openFetch(ctx context.Context, address string) (transport.UploadPackSession, error) {
	ep, err := parse(address)
	if err != nil {
		return nil, err
	}
	if t := foreign(ep); t != nil {
		return t.NewUploadPackSession(ep, nil)
	}
	c, err := dial(ctx, ep, "upload-pack")
	if err != nil {
		return nil, err
	}
	return &session{conn: c}, nil
}

// openPush connects to a repository to push to it, like openFetch.
func openPush(ctx context.Context, address string) (transport.ReceivePackSession, error) {
	ep, err := parse(address)
	if err != nil {
		return nil, err
	}
	if t := foreign(ep); t != nil {
		return t.NewReceivePackSession(ep, nil)
	}
	c, err := dial(ctx, ep, "receive-pack")
	if err != nil {
		return nil, err
	}
	return &session{conn: c}, nil
}

// foreign returns go-git's transport for what this package has none for: http,
// and local repositories where there is no git.
func foreign(ep *transport.Endpoint) transport.Transport {
	switch ep.Protocol {
	case "http", "https":
		return http.DefaultClient
	case "file":
		if _, err := exec.LookPath("git"); err != nil {
			return inProcess{}
		}
	}
	return nil
}

// A session speaks the pack protocol on a connection, whose context holds for
// all methods.
type session struct {
	conn
	refs    *packp.AdvRefs
	started bool // something was sent that the other end answers
}

var (
	_ transport.UploadPackSession  = (*session)(nil)
	_ transport.ReceivePackSession = (*session)(nil)
)

// AdvertisedReferences is AdvertisedReferencesContext.
func (s *session) AdvertisedReferences() (*packp.AdvRefs, error) {
	return s.AdvertisedReferencesContext(context.Background())
}

// AdvertisedReferencesContext returns what the other end says first.
func (s *session) AdvertisedReferencesContext(context.Context) (*packp.AdvRefs, error) {
	if s.refs != nil {
		return s.refs, nil
	}
	refs := packp.NewAdvRefs()
	err := refs.Decode(s.conn)
	switch {
	case errors.Is(err, packp.ErrEmptyAdvRefs):
		return nil, transport.ErrEmptyRemoteRepository
	case err != nil:
		return nil, s.explain(err)
	}
	transport.FilterUnsupportedCapabilities(refs.Capabilities)
	s.refs = refs
	return refs, nil
}

// explain ends the connection and adds to an error what the program at the
// other end said about it.
func (s *session) explain(err error) error {
	s.conn.Close() // after which all that it said is there
	s.started = true
	c := s.Complaint()
	switch {
	case c == "":
		return err
	case errors.Is(err, packp.ErrEmptyInput): // which says no more than that
		return errors.New(c)
	}
	return fmt.Errorf("%w: %s", err, c)
}

// UploadPack asks for objects. The response is read until its end.
func (s *session) UploadPack(_ context.Context, req *packp.UploadPackRequest) (*packp.UploadPackResponse, error) {
	s.started = true
	if err := s.request(req); err != nil {
		return nil, s.explain(err)
	}
	resp := packp.NewUploadPackResponse(req)
	if err := resp.Decode(io.NopCloser(s.conn)); err != nil {
		return nil, s.explain(err)
	}
	return resp, nil
}

func (s *session) request(req *packp.UploadPackRequest) error {
	if err := req.UploadRequest.Encode(s.conn); err != nil {
		return err
	}
	if err := req.UploadHaves.Encode(s.conn, false); err != nil {
		return err
	}
	if err := pktline.NewEncoder(s.conn).EncodeString("done\n"); err != nil {
		return err
	}
	return s.CloseWrite()
}

// ReceivePack sends objects and asks to move references. The report is nil if
// the other end does not make any. Otherwise the error is nil: the report has
// what went wrong.
func (s *session) ReceivePack(_ context.Context, req *packp.ReferenceUpdateRequest) (*packp.ReportStatus, error) {
	s.started = true
	if err := req.Encode(s.conn); err != nil {
		return nil, s.explain(err)
	}
	if err := s.CloseWrite(); err != nil {
		return nil, s.explain(err)
	}
	var report *packp.ReportStatus
	if req.Capabilities.Supports(capability.ReportStatus) {
		report = packp.NewReportStatus()
		if err := report.Decode(s.conn); err != nil {
			return nil, s.explain(err)
		}
	}
	_, err := io.Copy(io.Discard, s.conn) // until the hooks have run
	return report, err
}

// Close ends the session. Without a request it does so in the way that the
// protocol wants.
func (s *session) Close() error {
	if !s.started {
		pktline.NewEncoder(s.conn).Flush()
	}
	s.started = true
	return s.conn.Close()
}
