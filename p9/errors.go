package p9

import "github.com/datakit/datakit/vfs"

// Errors of the protocol itself (specification of the filesystem, appendix A,
// where each has the name in capitals). Those of the tree are package vfs's.
var (
	errNoAuth       = vfs.ErrNotExist                                                                     // what .L clients take for "no authentication needed"
	errDot          = &vfs.Error{Text: "'.' is not valid in 9p", Errno: vfs.EINVAL}                       // DOT
	errReadNotOpen  = &vfs.Error{Text: "Can't read from unopened fid", Errno: vfs.EBADF}                  // RNOTOPEN
	errWriteNotOpen = &vfs.Error{Text: "Can't write to unopened fid", Errno: vfs.EBADF}                   // WNOTOPEN
	errOpened       = &vfs.Error{Text: "Already open", Errno: vfs.EINVAL}                                 // OPENED
	errCreateOpen   = &vfs.Error{Text: "Can't create in an opened fid", Errno: vfs.EINVAL}                // CREATEOPEN
	errWriteDir     = &vfs.Error{Text: "Can't write to directories", Errno: vfs.EISDIR}                   // WRITEDIR
	errDirSeek      = &vfs.Error{Text: "Can't seek in a directory", Errno: vfs.ESPIPE}                    // DIRSEEK
	errMulti        = &vfs.Error{Text: "Can't rename/truncate/chmod at the same time", Errno: vfs.EINVAL} // MULTI
	errNoSys        = &vfs.Error{Text: "Function not implemented", Errno: vfs.ENOSYS}                     // NOSYS
	errNoVersion    = &vfs.Error{Text: "Expected Version message", Errno: vfs.EINVAL}                     // NOVERSION
	errMalformed    = &vfs.Error{Text: "Malformed message", Errno: vfs.EINVAL}                            // BADMSG
	errTagInUse     = &vfs.Error{Text: "Malformed message: tag already in use", Errno: vfs.EINVAL}        // BADMSG
	errManyWaiting  = &vfs.Error{Text: "Too many waiting reads", Errno: vfs.EMFILE}                       // beyond Server.MaxWaiting
	errNoFids       = &vfs.Error{Text: "Too many open fids", Errno: vfs.EMFILE}                           // NOFIDS
	errMsize        = &vfs.Error{Text: "Message size too small", Errno: vfs.EINVAL}                       // MSIZE
	errNoXattr      = &vfs.Error{Text: "Operation not supported", Errno: vfs.EOPNOTSUPP}                  // NOXATTR
)

// unknownFid is FID, fidInUse is FIDUSE, badType is BADTYPE and badMode is
// MODEBITS.
func unknownFid(fid uint32) *vfs.Error { return vfs.Errorf(vfs.EBADF, "Unknown fid %d", fid) }
func fidInUse(fid uint32) error        { return vfs.Errorf(vfs.EINVAL, "Fid %d already in use", fid) }
func badType(typ uint8) error          { return vfs.Errorf(vfs.EOPNOTSUPP, "unknown packet type %d", typ) }
func badMode(mode uint32) error {
	return vfs.Errorf(vfs.EINVAL, "Unknown mode bits: 0x%02x", mode&^modeKnown)
}
