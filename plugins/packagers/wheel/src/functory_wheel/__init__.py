"""The wheel packager."""

from functory_wheel.packager import Wheel, WheelOptions

__all__ = ["Wheel", "WheelOptions"]
