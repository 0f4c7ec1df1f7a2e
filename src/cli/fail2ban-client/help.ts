/** `fail2ban-client --help`: what is answered here, in short. */
export const help = `Usage: fail2ban-client [OPTIONS] <COMMAND>

fail2ban-client's calls, answered by dock2ban.

Options:
    -c, --conf <DIR>      configuration directory
    -s, --socket <FILE>   dock2ban's control socket
    -d                    print the resolved jails
    -t, --test            check the configuration
    -i                    take commands from the terminal, until exit
    --str2sec <TIME>      print the seconds of a time such as 1d12h
    -V, --version         print the version
    -h, --help            print this help

What goes on:
    ping                                     is dock2ban there?
    version                                  its version
    status                                   all jails
    status <JAIL> [basic|short|cymru]        one jail
    status --all [basic|short|cymru]         each jail
    stats                                    a table of all jails
    banned [IP]...                           every ban by jail, or the jails that ban these addresses
    sleep <SECONDS>                          answer later

Bans by hand:
    set <JAIL> banip <IP>...                 ban
    set <JAIL> unbanip [--report-absent] <IP>...
                                             unban; 255 if one wasn't banned
    set <JAIL> attempt <IP> [LINE]...        count a failure, or one for each line
    unban <IP>... | --all                    unban in every jail

Jails:
    reload [--restart] [--unban] [--all | <JAIL>]
                                             read the configuration again; --restart: count from nothing
    restart [--unban] <JAIL>                 the same for one jail, with --restart
    start <JAIL> | stop <JAIL> | stop --all  until the next reload
    get <JAIL> <OPTION>                      bantime, findtime, maxretry, maxmatches, maxlines, usedns, stream, ignoreip,
                                             ignoreself, ignorecommand, ignorecache, failregex, ignoreregex,
                                             prefregex, datepattern, logtimezone, logpath, logencoding, journalmatch, actions,
                                             bantime.increment, bantime.factor, ...
    get <JAIL> banip [SEP | --with-time]     its bans, by their end
    get <JAIL> banned [IP]...                its bans, or whether these addresses are banned: 1 or 0
    set <JAIL> <OPTION> <VALUE>              bantime, findtime, maxretry, maxmatches, maxlines, usedns, ignoreself,
                                             datepattern, logtimezone, prefregex, logencoding, bantime.increment, ...;
                                             stands until the next reload
    set <JAIL> addignoreip | delignoreip <IP>
    set <JAIL> addfailregex | addignoreregex <REGEX>
    set <JAIL> delfailregex | delignoreregex <INDEX>
`;
