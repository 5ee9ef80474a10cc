case $- in *i*) ;; *) return ;; esac
PS1='\[\033[1;32m\]\u@\h\[\033[0m\]:\[\033[1;34m\]\w\[\033[0m\]\$ '
HISTCONTROL=ignoredups
shopt -s checkwinsize
alias ll='ls -la'
