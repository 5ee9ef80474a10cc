# Compiles a NoCloud seed (variables $meta, $user, $network: the text of its documents) into a shell script that `boot` sources:
# variables, and calls to the functions of `network` and `first-boot`. Every value that comes from the seed passes
# through @sh. Documents are JSON, which is YAML too.

def is_blank: test("\\S") | not;

def document($name; $text):
  if ($text | is_blank) then { value: {} }
  else
    try ($text | fromjson | if type == "object" then { value: . } else error("") end)
    catch { value: {}, failure: "\($name) is not a JSON object" }
  end;

# One line of shell: name='value' …
def assign: to_entries | map("\(.key)=\(.value | tostring | @sh)") | join(" ");
def call($words): $words | map(tostring | @sh) | join(" ");
def shell_function($name; $lines): "\($name)() {", ":", $lines[], "}";

# What `f` makes of a part of the seed, or the report that it can't be used.
def part($name; f): try f catch call(["failed", $name, "\(.)"]);

def list: if . == null then [] elif type == "array" then map(select(. != null)) else [.] end;
def lines: list | map(tostring) | join("\n");
# "a, b" or ["a", "b"]
def names: list | map(if type == "string" then split(",")[] | gsub("\\s"; "") else tostring end | select(. != "")) | unique | join(",");
def octal: if . < 8 then tostring else ((. / 8 | floor | octal) + (. % 8 | tostring)) end;
# YAML reads 0644 as a number: 420.
def mode: if type == "number" then octal else . end;

# -- network-config, version 2

def routes:
  (if .gateway4 then { to: "default", via: .gateway4 } else empty end),
  (if .gateway6 then { to: "default", via: .gateway6 } else empty end),
  (.routes | list[]);

def claim: call(["claim", .index, (.match.macaddress // "" | ascii_downcase), (.match.name // (if .match then "" else .id end)),
  (.match.driver // "" | if type == "array" then join(" ") else . end), (."set-name" // "")]);

def configure:
  call(["begin_interface", .index, .mtu // "", .id]),
  (.addresses | list[] | if type == "object" then keys[0] else . end | call(["address", .])),
  (.nameservers // {} | (.search | list[] | call(["search_domain", .])), (.addresses | list[] | call(["nameserver", .]))),
  "link_up",
  (routes | call(["route", .to, .via // "", .metric // "", (if ."on-link" then "onlink" else "" end)])),
  (if .dhcp4 == true or .dhcp4 == "yes" then "dhcp" else empty end),
  "end_interface";

def ethernets: (.ethernets // {}) | to_entries | to_entries | map(.value.value + { id: .value.key, index: .key });

def network_plan($config):
  ($config.network // $config) as $net
  | if $net == {} then { claims: ["claim_first"], configures: ["dhcp_first"] }
    elif $net.version != 2 then
      { failure: "network-config: version \($net.version) is not supported by mini: using DHCP", claims: ["claim_first"], configures: ["dhcp_first"] }
    else
      ($net | ethernets) as $ethernets
      | { notes: [$net | keys_unsorted[] | select(IN("version", "ethernets", "renderer") | not) | "network-config: \(.) is not supported by mini"],
          claims: [$ethernets[] | claim], configures: [$ethernets[] | configure] }
    end;

# -- user-data

def user:
  { name, gecos: (.gecos // ""), shell: (.shell // ""), home: (.homedir // ""), uid: (.uid // ""),
    primary_group: (.primary_group // ""), groups: (.groups | if type == "object" then keys else . end | names),
    system: (.system // false), create_home: (if .no_create_home then false else true end),
    hash: (.hashed_passwd // .passwd // ""), password: (.plain_text_passwd // ""),
    lock: (if .lock_passwd == false then false else true end),
    sudo: (if .sudo == false then "" else (.sudo | lines) end), keys: (.ssh_authorized_keys | lines) }
  | "\(assign) attempt users add_user";

def password_line:
  if type == "object" then { name, password, type }
  elif type == "string" then capture("^(?<name>[^:]+):(?<password>.*)$") // error("a line is not NAME:PASSWORD")
  else error("an entry is neither text nor an object") end
  | if .type == "RANDOM" or .password == "R" or .password == "RANDOM" then
      call(["failed", "chpasswd", "random passwords are not supported by mini"])
    else
      (if .type then .type == "hash" else (.password | test("^\\$(1|2[aby]|5|6|7|y|gy)\\$.+\\$")) end) as $is_hash
      | "name=\(.name | @sh) password=\(.password | tostring | @sh) attempt chpasswd set_password \(if $is_hash then "hash" else "text" end)"
    end;

def chpasswd_entries: (.list | if type == "string" then split("\n") | map(select(. != "")) else list end) + (.users | list);

def write_file:
  "path=\(.path | @sh) content=\(.content // "" | tostring | @sh)",
  call(["attempt", "write_files", "write_file", (.encoding // "" | ascii_downcase), (.owner // "root:root"), (.permissions // "0644" | mode), .append // false]);

def command: if type == "array" then call(.) elif type == "string" then . else empty end;

def known: ["hostname", "fqdn", "timezone", "users", "ssh_authorized_keys", "password", "chpasswd", "ssh_pwauth", "write_files", "runcmd",
  # What these ask for is so anyway.
  "manage_etc_hosts", "preserve_hostname", "prefer_fqdn_over_hostname", "ssh_deletekeys", "growpart", "resize_rootfs", "package_update", "package_upgrade", "disable_root", "output", "updates", "locale", "packages", "bootcmd"];

# What is asked for in words that mini knows, and that it hasn't got.
def missing:
  (.packages | list | map(if type == "array" then .[0] else . end) | select(. != [])
    | "packages: mini has no package manager: \(map(tostring) | join(", ")) not installed"),
  # Cumulus asks for an identity of its own there, which each instance of mini gets anyway.
  (.bootcmd | list | map(select(tostring | contains("cumulus-machine-id") | not)) | select(. != [])
    | "user-data: bootcmd is not supported by mini"),
  (.locale // empty | tostring | select(test("^(C|POSIX)(\\.|$)") | not) | "locale: mini has only C.UTF-8, not \(.)");

def user_data($text):
  if ($text | startswith("#cloud-config")) then
    document("user-data"; $text | split("\n") | map(select(startswith("#") | not)) | join("\n"))
    | .notes = [.value | (keys_unsorted[] | select(IN(known[]) | not) | "user-data: \(.) is not supported by mini"), missing]
  elif ($text | startswith("#!")) then { value: {}, is_script: true }
  elif ($text | is_blank) then { value: {} }
  elif ($text[:4096] | test("^(MIME-Version|Content-Type):"; "i")) then { value: {}, failure: "user-data: MIME multipart is not supported by mini" }
  else { value: {}, failure: "user-data: neither #cloud-config nor a script that starts with #!" }
  end;

document("meta-data"; $meta) as $m
| document("network-config"; $network) as $n
| user_data($user) as $u
| $u.value as $config
| network_plan($n.value) as $net
| ($m.value."public-keys" | if type == "object" then [.[]] | map(if type == "object" then ."openssh-key" else . end) else list end) as $meta_keys
| ($config.fqdn // $config.hostname // $m.value."local-hostname" // $m.value.hostname // "") as $fqdn
| "instance_id=\($m.value."instance-id" // "" | tostring | @sh)",
  "hostname=\($config.hostname // $fqdn | split(".")[0] // "" | @sh) fqdn=\($fqdn | @sh)",
  "user_script=\($u.is_script // false)",
  shell_function("report_seed"; [$m, $n, $net, $u] | map(
    (if .failure then call(["failed", "seed", .failure]) else empty end),
    (.notes | list[] | call(["note", .])))),
  shell_function("claim_interfaces"; $net.claims),
  shell_function("configure_interfaces"; $net.configures),
  shell_function("apply_user_data"; [
    part("timezone"; $config.timezone // empty | call(["attempt", "timezone", "set_timezone", .])),
    ($config.users | list[] | select(type == "object") | part("users"; user)),
    part("ssh_authorized_keys"; $meta_keys + ($config.ssh_authorized_keys | list) | select(. != [])
      | "name=root keys=\(lines | @sh) attempt ssh_authorized_keys add_keys"),
    part("password"; $config.password // empty | { name: "root", password: . } | password_line),
    part("chpasswd"; $config.chpasswd // {} | chpasswd_entries[] | password_line),
    part("ssh_pwauth"; $config | select(has("ssh_pwauth")) | call(["attempt", "ssh_pwauth", "allow_passwords", .ssh_pwauth])),
    ($config.write_files | list[] | part("write_files"; write_file))
  ]),
  "commands=\([part("runcmd"; $config.runcmd | list[] | command)] | join("\n") | @sh)",
  "plan_is_whole=yes"
