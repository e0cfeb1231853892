//go:build unix && !linux && !darwin

package logs

var systemLogs = map[string]func() (systemLog, error){
	"syslog": dialSyslog("datakit"),
}
