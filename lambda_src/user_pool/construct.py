"""A user pool: people who sign in with a password and a second factor, and the groups that they are in."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from aws_cdk import Duration
from aws_cdk import aws_cognito as cognito

from lambda_src.acknowledged import acknowledge
from lambda_src.options import checked
from lambda_src.posture import Posture

if TYPE_CHECKING:
    from collections.abc import Sequence

    from constructs import Construct


class SignInPool(cognito.UserPool):
    """A user pool whose users an administrator makes, and who sign in with their e-mail address.

    Passwords have 12 characters of four kinds, and one that somebody else chose is good for a day. A code from an
    authenticator app can be the second factor, and in ``PRODUCTION`` has to. ``client`` is for a program in a browser
    or on a phone: it has no secret, and the password is proven without being sent (SRP).

    :param groups: names of groups, 1 to 128 characters without spaces, for a schema's directives to name; none by
        default.
    :param self_sign_up: whether anybody may make an account; by default only administrators do.
    :param sign_in_for: how long a person stays signed in, 1 hour to 3,650 days; 12 hours by default.
    :param posture: in ``PRODUCTION`` the second factor is required, a sign-in that looks like an attack is refused
        (Cognito's plan Plus, with its price for each user), and users survive their stack.
    :raises ValueError: naming every option outside its range.

    Source: https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        groups: Sequence[str] = (),
        self_sign_up: bool = False,
        sign_in_for: Duration | None = None,
        posture: Posture = Posture.LAB,
    ) -> None:
        """Check the options, then make the pool, its groups, and the client of programs that people hold."""
        signed_in = sign_in_for or Duration.hours(12)
        with checked(SignInPool, scope, construct_id) as options:
            hours = signed_in.to_hours(integral=False)
            options.require(1 <= hours <= 3650 * 24, "sign_in_for", f"{hours:g} hours", "1 hour to 3,650 days")
            for group in groups:
                named = re.fullmatch(r"\S{1,128}", group) is not None
                options.require(named, "groups", group, "1 to 128 characters, none of them a space")
        production = posture.protects_data
        super().__init__(
            scope,
            construct_id,
            sign_in_aliases=cognito.SignInAliases(email=True),
            self_sign_up_enabled=self_sign_up,
            sign_in_case_sensitive=False,
            account_recovery=cognito.AccountRecovery.EMAIL_ONLY,
            password_policy=cognito.PasswordPolicy(
                min_length=12,
                require_lowercase=True,
                require_uppercase=True,
                require_digits=True,
                require_symbols=True,
                temp_password_validity=Duration.days(1),
            ),
            mfa=cognito.Mfa.REQUIRED if production else cognito.Mfa.OPTIONAL,
            mfa_second_factor=cognito.MfaSecondFactor(otp=True, sms=False),
            feature_plan=cognito.FeaturePlan.PLUS if production else cognito.FeaturePlan.ESSENTIALS,
            standard_threat_protection_mode=(
                cognito.StandardThreatProtectionMode.FULL_FUNCTION
                if production
                else cognito.StandardThreatProtectionMode.NO_ENFORCEMENT
            ),
            deletion_protection=production,
            removal_policy=posture.removal_policy,
        )
        #: For a program in a browser or on a phone.
        self.client: cognito.UserPoolClient = self.add_client(
            "Client",
            generate_secret=False,
            auth_flows=cognito.AuthFlow(user_srp=True, admin_user_password=not production),
            prevent_user_existence_errors=True,
            enable_token_revocation=True,
            disable_o_auth=True,
            access_token_validity=Duration.hours(1),
            id_token_validity=Duration.hours(1),
            refresh_token_validity=signed_in,
        )
        for group in groups:
            self.add_group(group, group_name=group)
        if not production:
            acknowledge(
                self,
                "AwsSolutions-COG2",
                reason="In the lab posture users are made up and may sign in without a second factor, so that a "
                "program can be one of them. In production it is required.",
            )
            acknowledge(
                self,
                "AwsSolutions-COG8",
                reason="In the lab posture there are no accounts to take over, and the plan Plus has a price for each "
                "user. In production it is chosen, and its threat protection is on.",
            )
