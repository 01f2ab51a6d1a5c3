package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

func sleep(p *process) int {
	total := time.Duration(0)
	for _, arg := range p.args {
		unit := time.Second
		if n := len(arg); n > 0 {
			if found, is := map[byte]time.Duration{'s': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour}[arg[n-1]]; is {
				unit, arg = found, arg[:n-1]
			}
		}
		number, err := strconv.ParseFloat(arg, 64)
		if arg == "infinity" || arg == "inf" {
			number, err = 1e12, nil
		}
		if err != nil || number < 0 {
			return p.fail("%q is not a time", arg)
		}
		total += time.Duration(min(number*float64(unit), 1e18/4))
	}
	if len(p.args) == 0 {
		return p.fail("how long?")
	}
	timer := time.NewTimer(total)
	defer timer.Stop()
	select {
	case <-timer.C:
		return 0
	case <-p.ctx.Done():
		return 143
	}
}

func date(p *process) int {
	now, layout := time.Now(), "+%a %b %e %H:%M:%S %Z %Y"
	for _, arg := range p.args {
		switch {
		case arg == "-u":
			now = now.UTC()
		case strings.HasPrefix(arg, "+"):
			layout = arg
		default:
			return p.fail("%q is not played here", arg)
		}
	}
	return p.print("%s\n", formatted(now, layout[1:]))
}

func formatted(now time.Time, layout string) string {
	layouts := map[byte]string{
		'Y': "2006", 'm': "01", 'd': "02", 'e': "_2", 'H': "15", 'I': "03", 'M': "04", 'S': "05", 'p': "PM", 'Z': "MST",
		'z': "-0700", 'F': "2006-01-02", 'T': "15:04:05", 'a': "Mon", 'A': "Monday", 'b': "Jan", 'B': "January",
		'y': "06", 'j': "002", 'D': "01/02/06", 'R': "15:04", 'c': "Mon Jan _2 15:04:05 2006",
	}
	var text strings.Builder
	for i := 0; i < len(layout); i++ {
		if layout[i] != '%' || i+1 == len(layout) {
			text.WriteByte(layout[i])
			continue
		}
		i++
		switch layout[i] {
		case 's':
			fmt.Fprint(&text, now.Unix())
		case 'N':
			fmt.Fprintf(&text, "%09d", now.Nanosecond())
		case 'n':
			text.WriteByte('\n')
		case '%':
			text.WriteByte('%')
		default:
			if known, found := layouts[layout[i]]; found {
				text.WriteString(now.Format(known))
			} else {
				text.WriteString("%" + layout[i:i+1])
			}
		}
	}
	return text.String()
}
