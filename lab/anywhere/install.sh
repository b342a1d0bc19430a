#!/usr/bin/env bash
# Makes this host an external instance of Amazon ECS: installs the SSM agent, Docker and the ECS agent, registers the
# host with AWS Systems Manager, and joins the cluster. `lab anywhere register` wrote it, for one activation.
#
#   sudo bash install.sh            checks first, and changes nothing when a check fails
#   sudo bash install.sh --check    checks, and that is all
#   sudo bash install.sh --no-wait  for cloud-init: lets systemd start the agents when cloud-init is over
#
# It can be run again: what is done already is left as it is. The activation code is read from a file of root's alone,
# is never printed, and its file is removed as soon as the host is registered. cloud-init's own copy of its user data is
# out of reach: cloud-init writes it anew at each start.
set +o xtrace # which would print the activation code, as with `bash -x`
set -o errexit -o nounset -o pipefail

readonly REGION='@region@'
readonly CLUSTER='@cluster@'
readonly ACTIVATION_ID='@activation_id@'
readonly EXPIRES='@expires@' # seconds since 1970
readonly ROOT='@root@'

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly CODE_FILE="$here/activation-code"
readonly REGISTRATION="$ROOT/var/lib/amazon/ssm/Vault/Store/RegistrationKey"
# The activation that the host was registered with, by this script.
readonly REGISTERED_WITH="$ROOT/var/lib/amazon/ssm/serverless-lab-activation"
readonly ECS_CONFIG="$ROOT/etc/ecs/ecs.config"
readonly ECS_STATE="$ROOT/var/lib/ecs/ecs.config"
readonly ECS_DATA="$ROOT/var/lib/ecs/data"
readonly ECS_INIT="$ROOT/usr/libexec/amazon-ecs-init"
readonly METADATA=http://localhost:51678/v1/metadata

# The keys that AWS signs its agents with, by the fingerprint of the primary key.
# https://docs.aws.amazon.com/systems-manager/latest/userguide/verify-agent-signature.html
# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-agent-install.html
readonly SSM_SIGNER=1C5B395CBE5E74E2F1CA21592784DBF388D19D46
readonly ECS_SIGNER=F34C3DDAE72926B079BEAEC6BCE9D9A42D51784F
readonly KEYS=https://raw.githubusercontent.com/aws/amazon-ecs-agent/master/scripts
readonly PACKAGES="https://s3.$REGION.amazonaws.com"

ssm_service=amazon-ssm-agent
ssm_agent=amazon-ssm-agent
wait_for_agent=true
only_check=false
configured_anew=false
downloads=''

say() { printf '%s\n' "install.sh: $*"; }

stop() {
    printf '%s\n' "install.sh: $*" >&2
    exit 1
}

# Says in which step it stopped. The step's own message is above.
failed() { stop "$1 failed: mend what is said above, then run this again; what is done already is left as it is."; }

check() {
    problems=()
    [[ $(id -u) == 0 ]] || problems+=('It needs root: sudo bash install.sh.')
    [[ -d $ROOT/run/systemd/system ]] || problems+=('Not started by systemd, which runs both agents.')
    case $(uname -m) in
    x86_64) architecture=amd64 rpm_architecture=x86_64 ;;
    aarch64) architecture=arm64 rpm_architecture=aarch64 ;;
    *) problems+=("The processor is $(uname -m): both agents are for x86_64 and aarch64.") ;;
    esac
    check_distribution
    command -v curl >/dev/null || problems+=('curl is missing: install it.')
    command -v gpg >/dev/null || problems+=('gpg is missing, and with it nothing would be verified: install gnupg.')
    if configured=$(value_in "$ECS_CONFIG" ECS_CLUSTER) && [[ $configured != "$CLUSTER" ]]; then
        problems+=("This host belongs to the cluster $configured, and can to one alone: deregister it there first.")
    fi
    if [[ ! -f $REGISTRATION ]]; then
        check_activation
    elif [[ $(cat "$REGISTERED_WITH" 2>/dev/null || true) != "$ACTIVATION_ID" ]]; then
        problems+=("This host is registered with another activation: deregister it there, then remove $REGISTRATION \
and $ECS_DATA first.")
    fi
    if command -v curl >/dev/null; then check_addresses; fi
    if ((${#problems[@]})); then
        printf 'install.sh: %s\n' "${problems[@]}" >&2
        stop 'Nothing was changed.'
    fi
}

# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-anywhere.html
check_distribution() {
    distribution=$(value_in "$ROOT/etc/os-release" ID || true)
    local version major
    version=$(value_in "$ROOT/etc/os-release" VERSION_ID || true)
    major=${version%%.*}
    case $distribution-$major in
    debian-1[012] | ubuntu-18 | ubuntu-20 | ubuntu-22 | ubuntu-24) packages=deb ;;
    amzn-2 | amzn-2023 | centos-9 | fedora-40 | rhel-[789] | sles-15 | opensuse-tumbleweed-*) packages=rpm ;;
    *)
        packages=''
        problems+=("${distribution:-This} ${version:-system} is no distribution that Amazon ECS Anywhere is for.")
        return
        ;;
    esac
    if command -v apt-get >/dev/null; then
        manager=apt-get
    elif command -v dnf >/dev/null; then
        manager=dnf
    elif command -v yum >/dev/null; then
        manager=yum
    elif command -v zypper >/dev/null; then
        manager=zypper
    else
        problems+=('There is none of apt-get, dnf, yum and zypper.')
    fi
    # Neither has Docker among its own packages.
    if [[ $distribution =~ ^(rhel|centos)$ ]] && ! command -v docker >/dev/null; then
        problems+=("$distribution has no package of Docker: install Docker first.")
    fi
}

check_activation() {
    local now
    now=$(date +%s)
    if ((now >= EXPIRES)); then
        problems+=('The activation has expired: "lab anywhere register" makes another, and another script.')
    fi
    if [[ ! -f $CODE_FILE ]]; then
        problems+=("$CODE_FILE is missing: copy it beside this script, with the mode 0600.")
    elif [[ $(stat -c %a "$CODE_FILE") != [46]00 ]]; then
        problems+=("$CODE_FILE can be read by others: chmod 0600 it.")
    elif [[ ! $(<"$CODE_FILE") =~ ^[A-Za-z0-9+/=_-]{20,250}$ ]]; then
        problems+=("$CODE_FILE holds no activation code.")
    fi
}

# Any answer will do: without credentials, most are refusals.
check_addresses() {
    local service address addresses=("${KEYS%/aws/*}")
    for service in ec2messages ecs logs s3 ssm ssmmessages; do addresses+=("https://$service.$REGION.amazonaws.com"); done
    for address in "${addresses[@]}"; do
        curl --silent --output /dev/null --proto =https --max-time 10 "$address/" ||
            problems+=("$address cannot be reached: let this host connect to it, on port 443.")
    done
}

# The value of NAME=VALUE in a file; false when there is none.
value_in() {
    [[ -f $1 ]] || return 1
    local line
    line=$(grep "^$2=" "$1" | tail -n 1) || return 1
    line=${line#*=}
    line=${line#\"}
    printf '%s' "${line%\"}"
}

# Puts NAME=VALUE into a file of the ECS agent, in place of what the name was before.
set_in() {
    local rest=''
    if [[ $(value_in "$1" "$2" || true) == "$3" ]]; then return; fi
    configured_anew=true
    mkdir -p "$(dirname "$1")"
    if [[ -f $1 ]]; then rest=$(grep -v "^$2=" "$1" || true); fi
    printf '%s' "${rest:+$rest
}$2=$3
" >"$1"
}

download() {
    curl --fail --silent --show-error --location --proto =https --tlsv1.2 --connect-timeout 20 --retry 3 \
        --output "$downloads/$1" "$2" ||
        failed "The download of $2"
}

# The signature must be good, of now, and by this very key: whatever else the file of keys holds.
verify() {
    local package=$1 signature=$2 keys=$3 signer=$4 said keyring
    keyring=$(mktemp -d "$downloads/keyring.XXXXXX")
    # No secret key is asked for, and an agent would outlive the keyring.
    local verifier=(gpg --homedir "$keyring" --batch --no-autostart)
    said=$("${verifier[@]}" --import "$downloads/$keys" 2>&1) || {
        printf '%s\n' "$said" >&2
        failed "The import of $keys"
    }
    said=$("${verifier[@]}" --status-fd 1 --verify "$downloads/$signature" "$downloads/$package" 2>/dev/null) || said=''
    if ! grep -q '^\[GNUPG:\] GOODSIG ' <<<"$said" ||
        ! grep -q "^\[GNUPG:\] VALIDSIG .* $signer\$" <<<"$said" ||
        grep -Eq '^\[GNUPG:\] (BADSIG|ERRSIG|EXPSIG|EXPKEYSIG|REVKEYSIG) ' <<<"$said"; then
        stop "$package is not signed by the key $signer: it is not installed. A newer lab may know a newer key."
    fi
    say "$package is signed by $signer."
}

install_package() {
    case $manager in
    apt-get) DEBIAN_FRONTEND=noninteractive apt-get install --yes "$@" ;;
    zypper) zypper --non-interactive install --allow-unsigned-rpm "$@" ;;
    *) "$manager" install --assumeyes "$@" ;;
    esac
}

install_ssm_agent() {
    if systemctl is-enabled --quiet snap.amazon-ssm-agent.amazon-ssm-agent.service 2>/dev/null; then
        ssm_service=snap.amazon-ssm-agent.amazon-ssm-agent.service
        ssm_agent=/snap/amazon-ssm-agent/current/amazon-ssm-agent
    fi
    if command -v "$ssm_agent" >/dev/null; then
        say 'The SSM agent is installed.'
        return
    fi
    local folder=linux_$architecture file=amazon-ssm-agent.$packages
    if [[ $packages == deb ]]; then folder=debian_$architecture; fi
    download "$file" "$PACKAGES/amazon-ssm-$REGION/latest/$folder/$file"
    download "$file.sig" "$PACKAGES/amazon-ssm-$REGION/latest/$folder/$file.sig"
    download ssm.gpg "$KEYS/amazon-ssm-agent.gpg"
    verify "$file" "$file.sig" ssm.gpg "$SSM_SIGNER"
    install_package "$downloads/$file" || failed 'The installation of the SSM agent'
}

register() {
    if [[ -f $REGISTRATION ]]; then
        rm -f "$CODE_FILE" # also when a run was ended between the registration and this
        say "The host is registered: $(grep -o 'mi-[0-9a-f]*' "$REGISTRATION" | head -n 1)."
        return
    fi
    systemctl stop "$ssm_service" || true
    # Before, so that a run that is ended in between has noted it too.
    mkdir -p "$(dirname "$REGISTERED_WITH")"
    printf '%s\n' "$ACTIVATION_ID" >"$REGISTERED_WITH"
    # The agent takes the code as an argument and in no other way: it is seen in the list of processes for as long as
    # this one command runs. What it prints is kept from logs, as it could repeat its arguments.
    "$ssm_agent" -register -y -id "$ACTIVATION_ID" -region "$REGION" -code "$(<"$CODE_FILE")" >/dev/null 2>&1 ||
        failed 'The registration with AWS Systems Manager (its log is /var/log/amazon/ssm/errors.log)'
    rm -f "$CODE_FILE"
    say 'The host is registered with AWS Systems Manager, and the file with the activation code is removed.'
}

install_docker() {
    if command -v docker >/dev/null; then
        say 'Docker is installed.'
        return
    fi
    local name=docker
    case $distribution in
    debian | ubuntu) name=docker.io ;;
    fedora) name=moby-engine ;;
    esac
    # By the distribution's own package manager, which verifies it with the distribution's keys.
    install_package "$name" || failed 'The installation of Docker'
}

install_ecs_agent() {
    if [[ -x $ECS_INIT ]]; then
        say 'The ECS agent is installed.'
    else
        local file=amazon-ecs-init-latest.$rpm_architecture.rpm
        if [[ $packages == deb ]]; then file=amazon-ecs-init-latest.$architecture.deb; fi
        download "$file" "$PACKAGES/amazon-ecs-agent-$REGION/$file"
        download "$file.asc" "$PACKAGES/amazon-ecs-agent-$REGION/$file.asc"
        download ecs.gpg "$KEYS/amazon-ecs-agent.gpg"
        verify "$file" "$file.asc" ecs.gpg "$ECS_SIGNER"
        install_package "$downloads/$file" || failed 'The installation of the ECS agent'
    fi
    set_in "$ECS_CONFIG" ECS_CLUSTER "$CLUSTER"
    set_in "$ECS_STATE" AWS_DEFAULT_REGION "$REGION"
    set_in "$ECS_STATE" ECS_EXTERNAL true
}

start() {
    local options=()
    # cloud-init ends when this ends, and the agents' units wait for the end of cloud-init.
    if ! $wait_for_agent; then options=(--no-block); fi
    local service verb=start
    for service in "$ssm_service" docker ecs; do
        systemctl enable "$service" || failed "To enable $service"
        if [[ $service == ecs ]] && $configured_anew; then verb=restart; fi
        systemctl "$verb" "${options[@]}" "$service" || failed "The start of $service"
    done
}

join() {
    local joined
    for _ in {1..30}; do
        joined=$(curl --silent --noproxy '*' --max-time 5 "$METADATA" | grep -o 'arn:[^"]*:container-instance/[^"]*') && break
        sleep 5
    done
    [[ -n ${joined:-} ]] || stop 'The ECS agent has not joined the cluster: /var/log/ecs/ecs-agent.log says why.' \
        "If the host was deregistered before, remove $REGISTRATION and $ECS_DATA, and run a script of a new activation."
    say "The host is in the cluster $CLUSTER: $joined"
}

for option in "$@"; do
    case $option in
    --check) only_check=true ;;
    --no-wait) wait_for_agent=false ;;
    *) stop "$option: there are --check and --no-wait." ;;
    esac
done

check
if $only_check; then
    say 'All checks passed, and nothing was changed.'
    exit 0
fi
downloads=$(mktemp -d)
trap 'rm -rf "$downloads"' EXIT
chmod 0755 "$downloads" # apt reads the packages as a user of its own
if [[ $manager == apt-get ]]; then apt-get update || failed 'The update of the lists of packages'; fi
install_ssm_agent
register
install_docker
install_ecs_agent
start
if $wait_for_agent; then
    join
else
    say "cloud-init keeps a copy of the activation code, for root alone. When all hosts are registered, end the activation:"\
        "lab anywhere deregister $ACTIVATION_ID"
fi
