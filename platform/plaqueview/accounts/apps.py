from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "plaqueview.accounts"

    def ready(self) -> None:
        from plaqueview.accounts import second_factor  # noqa: PLC0415  (models exist from here on)

        second_factor.listen()
