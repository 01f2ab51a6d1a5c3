package main

import (
	"strings"
	"testing"
)

// oddScripts are at the edge of what a shell understands. Where the interpreter breaks at one in a pipe or in the
// background, nothing can catch it, and all Pods of the cloud start again.
var oddScripts = []string{
	`a=(1 2); echo ${a[-5]}`, `a=(1 2); a[-5]=1`, `x=abc; echo ${x:0:-9}`, `x=abc; echo ${x: -9:2}`,
	`x=abc; echo ${x:9}`, `x=abc; echo ${x:2:-2}`, `echo $((1/0))`, `echo $((1%0))`, `echo $((2**-1))`,
	`echo $((1<<-1))`, `echo $((1<<99))`, `let 1/0`, `((x=1/0))`, `unset`, `unset -v`, `read -n`,
	`read -n -1 x < /etc/hostname`, `read -p`, `read -a`, `getopts`, `getopts a`, `getopts : x -a`, `getopts a: x -a`,
	`OPTIND=-5; getopts ab x -a -b`, `OPTIND=99; getopts ab x -a`, `set -o`, `set -`, `set +`, `set -e -`, `shift 99`,
	`shift x`, `break -1`, `for i in 1; do break -1; done`, `for i in 1; do break 0; done`,
	`for i in 1; do continue -1; done`, `return -1`, `exit -1`, `exit x`, `f() { return 999; }; f`, `wait -1`,
	`wait 99`, `wait g9`, `wait g-1`, `wait %1`, `dirs -1`, `pushd`, `pushd +5`, `popd`, `popd +9`,
	`declare -n x=x; echo $x`, `declare -n a=b; declare -n b=a; echo $a; a=1`, `readonly x=1; x=2`, `export -n`,
	`echo ${!x}`, `x=y; y=x; echo ${!x}`, `echo ${@:-5:2}`, `set -- a b; echo ${@: -5:2}`,
	`set -- a b; echo ${@:1:-5}`, `echo ${@:99}`, `echo "${x/%/y}"`, `echo ${x//[/y}`, `x=abc; echo ${x/[/}`,
	`echo ${x^^[}`, `case a in [) ;; esac`, `[[ a =~ [ ]]`, `[[ a == [ ]]`, `[[ -v ]]`, `test -a -a`, `test ( `,
	`[ a = ]`, `select x in a; do break; done < /dev/null`, `trap`, `trap -l`, `trap x`, `trap -p`, `exec`,
	`exec 9>&1`, `echo >&9`, `echo x 3>&1`, `cat <&-`, `cat <<< "$x"`, `time`, `time -p`, `! !`, `{1..}`,
	`echo {1..3..0}`, `echo {a..z..-1}`, `echo {9223372036854775807..1}`,
	`echo {-9223372036854775808..9223372036854775807}`, `hash -r`, `type`, `command`, `builtin`, `builtin x`, `let`,
	`shopt -s x`, `shopt`, `printf`, `printf %`, `printf '%*d'`, `printf '\x'`, `echo -e '\x'`, `local x`,
	`f() { local -n x=x; }; f`, `times`, `logout`, `cd -`, `cd ''`, `OLDPWD=/none; cd -`,
	`IFS=; read x < /etc/hostname`, `x=(); echo ${x[0]} ${#x[@]} ${x[@]:1}`, `x[99999999999]=1`, `x[999999999]=1`,
	`declare -i x=1/0`, `mapfile`, `a=(1 2 3); unset 'a[-9]'`, `a=(1 2 3); echo ${a[@]: -9}`, `echo ${a[@]:2:-9}`,
	`echo $_`, `echo ${#}`, `echo ${##}`, `echo ${#-}`, `echo $-`, `echo ${*:0:1}`, `suspend`, `jobs`, `fg`, `bg`,
	`disown`, `compgen`, `complete`, `caller`, `help`, `history -d -5`,
}

func TestNoOddScriptBreaksTheShell(t *testing.T) {
	for _, script := range oddScripts {
		m, _ := box(t)
		if said, code := sh(t, m, script); strings.Contains(said, "broke") {
			t.Errorf("%s ended with %d: %q", script, code, said)
		}
	}
}
